// Rows of a table that a parameter stands in for while the rest of the table stays frozen: of word
// embeddings, the rows of a few tokens. The table itself is neither copied nor given a gradient.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "autograd/parameter.h"

namespace inlay {

// Numbers of different rows, in an order of their own.
class RowNumbers {
 public:
  explicit RowNumbers(std::vector<int32_t> numbers) : numbers_(std::move(numbers)) {
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      places_.emplace(numbers_[i], static_cast<int64_t>(i));
  }

  const std::vector<int32_t>& in_order() const { return numbers_; }
  // Where a row stands among them; -1 where it does not.
  int64_t place_of(int32_t row) const {
    auto found = places_.find(row);
    return found == places_.end() ? -1 : found->second;
  }

 private:
  std::vector<int32_t> numbers_;
  std::unordered_map<int32_t, int64_t> places_;
};

// Row numbers->in_order()[i] of the table is row i of `values`.
struct TrainedRows {
  Parameter* values = nullptr;  // (count, channels); null: none
  const RowNumbers* numbers = nullptr;
};

}  // namespace inlay
