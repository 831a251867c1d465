#include "text/pattern.h"

namespace inlay::text {

Pattern::Pattern(const Component& owner) {
  const Component pattern = owner.child("pattern");
  if (pattern.has("String")) {
    literal_ = pattern.text("String");
    // Nothing, everywhere: a regular expression knows what that means.
    if (literal_.empty()) regex_.emplace("", pattern.place());
  } else {
    require(pattern.has("Regex"), ErrorKind::kInput,
            "{}: expected {{\"String\": ...}} or {{\"Regex\": ...}}", pattern.place());
    regex_.emplace(pattern.text("Regex"), pattern.place());
  }
}

void Pattern::find_all(std::string_view text, std::vector<Range>& matches) const {
  if (regex_) return regex_->find_all(text, matches);
  for (std::size_t at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, at + literal_.size())) {
    matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal_.size())});
  }
}

}  // namespace inlay::text
