// Vectors written as columns.

#if defined(INLAY_KERNELS_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_TRANSPOSE_INL_H_
#undef INLAY_KERNELS_TRANSPOSE_INL_H_
#else
#define INLAY_KERNELS_TRANSPOSE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "tensor/kernels/panel.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
// Block b, of four lanes, goes to dst + b * step.
template <class D>
HWY_INLINE void store_blocks(D d, hn::Vec<D> v, float* dst, std::size_t step) {
  if constexpr (hn::MaxLanes(d) == 4) {
    hn::StoreU(v, d, dst);
  } else {
    const hn::Half<D> half;
    store_blocks(half, hn::LowerHalf(half, v), dst, step);
    store_blocks(half, hn::UpperHalf(half, v), dst + hn::MaxLanes(half) / 4 * step, step);
  }
}
#endif

// dst[i * stride + 0..3] = lane i of v0, v1, v2, v3, for every lane i.
template <class D>
HWY_INLINE void store_columns(D d, hn::Vec<D> v0, hn::Vec<D> v1, hn::Vec<D> v2, hn::Vec<D> v3,
                              float* dst, std::size_t stride) {
#if HWY_TARGET == HWY_SCALAR
  (void)d, (void)stride;
  dst[0] = hn::GetLane(v0);
  dst[1] = hn::GetLane(v1);
  dst[2] = hn::GetLane(v2);
  dst[3] = hn::GetLane(v3);
#else
  const hn::RepartitionToWide<D> dw;
  const auto low01 = hn::BitCast(dw, hn::InterleaveLower(d, v0, v1));
  const auto high01 = hn::BitCast(dw, hn::InterleaveUpper(d, v0, v1));
  const auto low23 = hn::BitCast(dw, hn::InterleaveLower(d, v2, v3));
  const auto high23 = hn::BitCast(dw, hn::InterleaveUpper(d, v2, v3));
  // Block b of column i holds lane 4b + i of the four.
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(dw, low01, low23)), dst, 4 * stride);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(dw, low01, low23)), dst + stride, 4 * stride);
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(dw, high01, high23)), dst + 2 * stride,
               4 * stride);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(dw, high01, high23)), dst + 3 * stride,
               4 * stride);
#endif
}

// dst (width, rows) is written from load(row, column), a vector of one row's columns; zeros up to
// the next whole vector of rows. dst has whole vectors of rows.
template <class Load>
HWY_INLINE void write_transposed(std::size_t rows, std::size_t width, const Panel& dst,
                                 const Load& load) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto load_or_zero = [&](std::size_t row, std::size_t c)
                                HWY_ATTR { return row < rows ? load(row, c) : hn::Zero(d); };
  for (std::size_t j = 0; j < rows; j += 4) {
    for (std::size_t c = 0; c < width; c += lanes) {
      store_columns(d, load_or_zero(j, c), load_or_zero(j + 1, c), load_or_zero(j + 2, c),
                    load_or_zero(j + 3, c), dst.row(c) + j, dst.stride);
    }
  }
  const std::size_t written = hwy::RoundUpTo(rows, 4);
  const std::size_t padded = hwy::RoundUpTo(rows, std::max<std::size_t>(lanes, 4));
  for (std::size_t c = 0; c < width; ++c)
    std::fill(dst.row(c) + written, dst.row(c) + padded, 0.0f);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
