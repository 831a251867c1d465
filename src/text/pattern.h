// What a text is searched for: a literal string or a regular expression. Written {"String": " "} or
// {"Regex": "\\s+"} in tokenizer files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/component.h"
#include "text/regex.h"

namespace inlay::text {

class Pattern {
 public:
  // Reads the member "pattern" of `owner`.
  explicit Pattern(const Component& owner);

  void find_all(std::string_view text, std::vector<Range>& matches) const;

 private:
  std::string literal_;
  std::optional<Regex> regex_;  // where there is none, the literal counts
};

}  // namespace inlay::text
