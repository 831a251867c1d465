#include "text/truncation.h"

#include <algorithm>
#include <utility>

namespace inlay::text {
namespace {

void keep(Tokens& tokens, int64_t count, Truncation::Side side) {
  const auto excess =
      static_cast<std::ptrdiff_t>(tokens.size()) - static_cast<std::ptrdiff_t>(count);
  if (excess <= 0) return;
  if (side == Truncation::Side::kLeft) {
    tokens.erase(tokens.begin(), tokens.begin() + excess);
  } else {
    tokens.erase(tokens.end() - excess, tokens.end());
  }
}

// The lengths that two texts of n1 and n2 tokens keep: the shorter one stays whole as long as it
// can.
std::pair<int64_t, int64_t> share(int64_t n1, int64_t n2, int64_t budget) {
  const bool swapped = n1 > n2;
  if (swapped) std::swap(n1, n2);
  n2 = n1 > budget ? n1 : std::max(n1, budget - n1);
  if (n1 + n2 > budget) {
    n1 = budget / 2;
    n2 = n1 + budget % 2;
  }
  if (swapped) std::swap(n1, n2);
  return {n1, n2};
}

}  // namespace

Truncation::Truncation(const Component& component) : max_length(component.integer("max_length")) {
  const std::string& place = component.place();
  require(max_length > 0, ErrorKind::kInput, "{}: max_length is {}; expected at least 1", place,
          max_length);
  const auto stride = json_get_or<int64_t>(component.json(), "stride", 0, place);
  require(stride == 0, ErrorKind::kInput, "{}: stride {} is not supported; supported: 0", place,
          stride);
  const std::string name = component.text_or("strategy", "LongestFirst");
  if (name == "OnlyFirst") strategy = Strategy::kOnlyFirst;
  if (name == "OnlySecond") strategy = Strategy::kOnlySecond;
  require(name == "LongestFirst" || strategy != Strategy::kLongestFirst, ErrorKind::kInput,
          "{}: strategy \"{}\" is not supported; supported: LongestFirst, OnlyFirst, OnlySecond",
          place, name.substr(0, 60));
  const std::string direction = component.text_or("direction", "Right");
  require(direction == "Right" || direction == "Left", ErrorKind::kInput,
          "{}: direction \"{}\" is not supported; supported: Right, Left", place,
          direction.substr(0, 60));
  side = direction == "Left" ? Side::kLeft : Side::kRight;
}

void Truncation::apply(Tokens& first, Tokens* second, int64_t budget) const {
  const auto n1 = static_cast<int64_t>(first.size());
  const auto n2 = second == nullptr ? 0 : static_cast<int64_t>(second->size());
  if (n1 + n2 <= budget) return;
  if (strategy == Strategy::kLongestFirst) {
    if (second == nullptr) return keep(first, budget, side);
    const auto [keep_first, keep_second] = share(n1, n2, budget);
    keep(first, keep_first, side);
    return keep(*second, keep_second, side);
  }
  const bool cut_first = strategy == Strategy::kOnlyFirst;
  const int64_t cuttable = cut_first ? n1 : n2;
  const int64_t excess = n1 + n2 - budget;
  require(
      cuttable > excess, ErrorKind::kInput,
      "{} tokens do not fit into {}: the tokenizer's strategy cuts only the {} text, which has {}",
      n1 + n2, budget, cut_first ? "first" : "second", cuttable);
  keep(cut_first ? first : *second, cuttable - excess, side);
}

}  // namespace inlay::text
