// Markup that cannot be broken by the text in it: text enters through text(), which escapes, and
// through attributes, which are escaped too. Everything the report draws, SVG included, is built
// from these.
//
//   element("td", {{"class", "number"}}, text(label))      // <td class="number">a &lt; b</td>
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay {

class Html {
 public:
  Html() = default;
  // For constants of our own, such as the style sheet; never for anything from outside.
  static Html trusted(std::string markup);

  Html& operator+=(const Html& more);
  friend Html operator+(Html a, const Html& b) { return a += b; }
  const std::string& markup() const { return markup_; }
  bool empty() const { return markup_.empty(); }

 private:
  std::string markup_;
};

struct Attribute {
  const char* name;
  std::string value;
};
using Attributes = std::vector<Attribute>;

// Escapes & < > " ' and replaces control characters.
Html text(std::string_view text);

Html element(const char* name, const Attributes& attributes, const Html& inside);
Html element(const char* name, const Html& inside);
// An element without an end in HTML (meta, col) and an empty one in SVG (path, circle).
Html empty_element(const char* name, const Attributes& attributes);

// At most `count` characters of UTF-8 text, the last one an ellipsis when some were cut.
std::string shortened(std::string_view text, std::size_t count);

}  // namespace inlay
