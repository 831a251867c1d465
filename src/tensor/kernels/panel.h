// f32 matrices in scratch that a caller provides. The code that lays them out runs twice: without a
// base it counts, with one it hands out pointers, so that the size asked for and the size used
// cannot disagree.
//
//   ScratchLayout count;                   ScratchLayout layout(scratch);
//   count.panel(r, channels);              Panel factor = layout.panel(r, channels);
//   return count.floats();
#pragma once

#include <cstddef>

namespace inlay::kernels {

// Rows of f32, whole 64-byte lines each and an odd number of them, so that neither a column of rows
// falls into few cache sets nor a whole vector ends outside its row.
struct Panel {
  float* data = nullptr;
  std::size_t stride = 0;
  float* row(std::size_t i) const { return data + i * stride; }
};

class ScratchLayout {
 public:
  explicit ScratchLayout(float* base = nullptr) : base_(base) {}

  Panel panel(std::size_t rows, std::size_t cols) {
    const std::size_t stride = ((cols + kLine - 1) / kLine | 1) * kLine;
    return {take(rows * stride), stride};
  }
  float* vector(std::size_t count) { return take((count + kLine - 1) / kLine * kLine); }
  std::size_t floats() const { return used_; }

 private:
  static constexpr std::size_t kLine = 16;

  float* take(std::size_t count) {
    float* data = base_ == nullptr ? nullptr : base_ + used_;
    used_ += count;
    return data;
  }

  float* base_;
  std::size_t used_ = 0;
};

}  // namespace inlay::kernels
