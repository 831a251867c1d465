// Rows that are weighted sums of other rows, the same for every map of a batch: a map that is
// resized, and its gradient.
//
//   RowMixture mixture;
//   for (...) mixture.add(reads);     // row 0 of the result is the sum of weight * row over reads
//   mix_rows({mixture, maps, inputs, channels}, x, y);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct RowRead {
  int64_t row = 0;
  double weight = 0;
};

class RowMixture {
 public:
  // The next row as a sum of these, added in this order.
  void add(std::span<const RowRead> reads);

  int64_t rows() const { return static_cast<int64_t>(first_.size()) - 1; }
  std::span<const RowRead> of(int64_t row) const;
  // For each of `inputs` rows the rows that read it, in order: gradients go that way.
  // REQUIRES: every row that is read is below `inputs`.
  RowMixture reversed(int64_t inputs) const;

 private:
  std::vector<int64_t> first_ = {0};  // reads of row r are [first_[r], first_[r + 1])
  std::vector<RowRead> reads_;
};

struct MixedRows {
  const RowMixture& mixture;
  int64_t maps = 0;
  int64_t inputs = 0;  // rows of a map that is read
  int64_t channels = 0;
};

// src (maps * inputs, channels) -> dst (maps * mixture.rows(), channels). Parallel over rows.
void mix_rows(const MixedRows& args, Input src, Output dst);

}  // namespace inlay::kernels
