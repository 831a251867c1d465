// Regular expressions from untrusted text: PCRE2 with a bound on the work of a match, so that none
// can hang.
//
//   Pattern pattern("layer\\.[0-3]\\..*", "target_modules");
//   pattern.matches_whole("layer.2.query");
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace inlay {

class Pattern {
 public:
  // kUsage naming `where` and the offset when the text is no regular expression.
  Pattern(const std::string& text, std::string_view where);
  // The whole subject, as Python's re.fullmatch.
  bool matches_whole(std::string_view subject) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace inlay
