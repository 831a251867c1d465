// Small dense products inside one (sequence, head) of attention, in f32, on buffers whose rows are
// whole vectors.
//
//   multiply<Left::kRows>(...)     dst (rows, cols) = a b       a (rows, depth), b (depth, cols)
//   multiply<Left::kColumns>(...)  dst (rows, cols) = a^T b     a (depth, rows), b (depth, cols)
//
// dst is computed in tiles of registers; every element is a chain of fused multiply-adds over the
// depth in order, so that its bits do not depend on how dst is cut into tiles.

#if defined(INLAY_KERNELS_ATTENTION_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ATTENTION_TILE_INL_H_
#undef INLAY_KERNELS_ATTENTION_TILE_INL_H_
#else
#define INLAY_KERNELS_ATTENTION_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "tensor/kernels/panel.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

enum class Left { kRows, kColumns };
enum class Into { kOverwrite, kAdd };

// How a tile adds one product of a left and a right element to a sum.
struct MultiplyAdd {
  template <class V>
  static HWY_INLINE V add(V left, V right, V sum) {
    return hn::MulAdd(left, right, sum);
  }
};

// Tile height that, two vectors wide, fills the register file: 16 accumulators of 32, or 12 of 16.
inline constexpr std::size_t kTileRows = HWY_TARGET == HWY_AVX3 ? 8 : 6;
inline constexpr std::size_t kTileVectors = 2;

template <std::size_t kRows, std::size_t kVectors, Left kLeft, Into kInto, class Step>
HWY_INLINE void tile(const float* HWY_RESTRICT a, std::size_t a_stride, const float* HWY_RESTRICT b,
                     std::size_t b_stride, std::size_t depth, Panel dst) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sum[kRows][kVectors];
  HWY_UNROLL(8)
  for (std::size_t m = 0; m < kRows; ++m) {
    HWY_UNROLL(2)
    for (std::size_t n = 0; n < kVectors; ++n) {
      sum[m][n] = kInto == Into::kAdd ? hn::LoadU(d, dst.row(m) + n * lanes) : hn::Zero(d);
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    hn::Vec<decltype(d)> right[kVectors];
    HWY_UNROLL(2)
    for (std::size_t n = 0; n < kVectors; ++n)
      right[n] = hn::LoadU(d, b + k * b_stride + n * lanes);
    HWY_UNROLL(8)
    for (std::size_t m = 0; m < kRows; ++m) {
      const auto left =
          hn::Set(d, kLeft == Left::kRows ? a[m * a_stride + k] : a[k * a_stride + m]);
      HWY_UNROLL(2)
      for (std::size_t n = 0; n < kVectors; ++n) sum[m][n] = Step::add(left, right[n], sum[m][n]);
    }
  }
  HWY_UNROLL(8)
  for (std::size_t m = 0; m < kRows; ++m) {
    HWY_UNROLL(2)
    for (std::size_t n = 0; n < kVectors; ++n) hn::StoreU(sum[m][n], d, dst.row(m) + n * lanes);
  }
}

// A tile of `rows` < kTileRows.
template <std::size_t kRows, std::size_t kVectors, Left kLeft, Into kInto, class Step>
HWY_NOINLINE void tile_of(std::size_t rows, const float* a, std::size_t a_stride, const float* b,
                          std::size_t b_stride, std::size_t depth, Panel dst) {
  if (rows == kRows)
    return tile<kRows, kVectors, kLeft, kInto, Step>(a, a_stride, b, b_stride, depth, dst);
  if constexpr (kRows > 1) {
    tile_of<kRows - 1, kVectors, kLeft, kInto, Step>(rows, a, a_stride, b, b_stride, depth, dst);
  }
}

template <std::size_t kVectors, Left kLeft, Into kInto, class Step>
void multiply_columns(const Panel& a, const float* b, std::size_t b_stride, std::size_t rows,
                      std::size_t depth, Panel dst) {
  std::size_t row = 0;
  while (row < rows) {
    const float* left = kLeft == Left::kRows ? a.row(row) : a.data + row;
    const Panel part{dst.row(row), dst.stride};
    const std::size_t count = std::min(kTileRows, rows - row);
    tile_of<kTileRows, kVectors, kLeft, kInto, Step>(count, left, a.stride, b, b_stride, depth,
                                                     part);
    row += count;
  }
}

// `cols` is rounded up to whole vectors: rows of b and dst must have room.
template <Left kLeft, Into kInto = Into::kOverwrite, class Step = MultiplyAdd>
void multiply(const Panel& a, const Panel& b, std::size_t rows, std::size_t cols, std::size_t depth,
              const Panel& dst) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  std::size_t col = 0;
  for (; col + lanes < cols; col += kTileVectors * lanes) {
    multiply_columns<kTileVectors, kLeft, kInto, Step>(a, b.data + col, b.stride, rows, depth,
                                                       {dst.data + col, dst.stride});
  }
  if (col < cols) {
    multiply_columns<1, kLeft, kInto, Step>(a, b.data + col, b.stride, rows, depth,
                                            {dst.data + col, dst.stride});
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
