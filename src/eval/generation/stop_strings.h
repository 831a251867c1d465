// Ends a text before any of several strings, as it grows piece by piece: a string may begin in the
// middle of one piece and end in another. What is released is certain: what could still become a
// stop string is held back until the text decides it.
//
//   StopStrings stops({"\nUser:"});
//   stops.push("Yes.\nUs");   // "Yes.": the rest may be a stop string
//   stops.push("ually, ");    // "\nUsually, "
//   stops.push("no\nUser: ");  // "no", and stops.matched() is "\nUser:"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// kUsage for a string that is empty, not UTF-8 or longer than 1,024 bytes, and for more than 64.
void check_stop_strings(const std::vector<std::string>& strings);

class StopStrings {
 public:
  // kUsage as check_stop_strings().
  explicit StopStrings(const std::vector<std::string>& strings);

  // The text that is certain with this piece and was not before; up to the stop string when that is
  // complete, and nothing afterwards. The string that is complete first counts, of several that end
  // together the longest: how the text is cut into pieces changes nothing. Pieces of whole
  // characters give whole characters.
  std::string push(std::string_view piece);
  // What was held back, once the text ends without a stop string.
  std::string finish();

  // The string that ended the text.
  const std::optional<std::string>& matched() const { return matched_; }

 private:
  // Knuth, Morris and Pratt 1977: how many bytes of `text` the text so far ends with, in constant
  // time for each byte on average.
  struct Matcher {
    std::string text;
    std::vector<std::size_t> borders;  // of each prefix: the longest proper prefix that ends it
    std::size_t length = 0;

    explicit Matcher(const std::string& stop);
    void advance(char byte);
    bool complete() const { return length == text.size(); }
  };

  // The longest stop string that the text now ends with, or null.
  const Matcher* completed() const;

  std::vector<Matcher> matchers_;
  std::string held_;
  std::optional<std::string> matched_;
};

}  // namespace inlay
