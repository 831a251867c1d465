// Cuts one or two texts to a total number of tokens.
#pragma once

#include <cstdint>

#include "text/component.h"
#include "text/tokens.h"

namespace inlay::text {

struct Truncation {
  enum class Strategy { kLongestFirst, kOnlyFirst, kOnlySecond };
  enum class Side { kLeft, kRight };

  int64_t max_length = 0;  // 0: the file says nothing
  Strategy strategy = Strategy::kLongestFirst;
  Side side = Side::kRight;  // where tokens are dropped

  Truncation() = default;
  explicit Truncation(const Component& component);

  // Leaves at most `budget` tokens; `second` may be null. Where the strategy spares what would have
  // to go, an Error.
  void apply(Tokens& first, Tokens* second, int64_t budget) const;
};

}  // namespace inlay::text
