// The steps of attention around its products: packing of q, k, v into f32, and the softmax of rows
// of scores. Scores are kept in units of log 2 (scale and log2(e) are multiplied into q), so that a
// probability is one exp2.

#if defined(INLAY_KERNELS_ATTENTION_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ATTENTION_ROWS_INL_H_
#undef INLAY_KERNELS_ATTENTION_ROWS_INL_H_
#else
#define INLAY_KERNELS_ATTENTION_ROWS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "tensor/kernels/attention_tile-inl.h"
#include "tensor/kernels/element_io-inl.h"
#include "tensor/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr float kLog2E = 1.44269504f;
inline constexpr float kLn2 = 0.693147181f;

// 2^x for x <= 0 (to 2 ulp), zero below the normal numbers, NaN for NaN. x = n + f with n an
// integer and f in
// [-1/2, 1/2]; adding 3 * 2^22 leaves n in the low bits of the sum; 2^f is a minimax polynomial
// with value 1 at 0.
template <class D>
HWY_INLINE hn::Vec<D> exp2_nonpositive(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> di;
  const auto magic = hn::Set(d, 12582912.0f);
  const auto shifted = hn::Add(x, magic);
  const auto f = hn::Sub(x, hn::Sub(shifted, magic));
  auto p = hn::MulAdd(f, hn::Set(d, 1.326472731e-03f), hn::Set(d, 9.671512991e-03f));
  p = hn::MulAdd(f, p, hn::Set(d, 5.550733581e-02f));
  p = hn::MulAdd(f, p, hn::Set(d, 2.402224243e-01f));
  p = hn::MulAdd(f, p, hn::Set(d, 6.931470037e-01f));
  p = hn::MulAdd(f, p, hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  const auto power = hn::BitCast(d, hn::Add(hn::BitCast(di, p), exponent));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0f)), power);
}

// Rows of one head lie far apart, beyond what the processor fetches ahead by itself; so that is
// done here.
inline constexpr std::size_t kRowsAhead = 16;

template <class Element>
HWY_INLINE void prefetch_row(const Element* row, std::size_t width) {
  for (std::size_t c = 0; c < width; c += 64 / sizeof(Element)) hwy::Prefetch(row + c);
}

// dst (rows, width) = src (rows, width), zeros up to the next whole vector
template <class Element>
void copy_rows(const Element* src, std::size_t src_stride, std::size_t rows, std::size_t width,
               const Panel& dst) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < rows; ++i, src += src_stride) {
    if (i + kRowsAhead < rows) prefetch_row(src + kRowsAhead * src_stride, width);
    std::size_t c = 0;
    for (; c + lanes <= width; c += lanes) {
      hn::StoreU(load_f32(d, src + c), d, dst.row(i) + c);
    }
    if (c < width) hn::StoreU(load_f32(d, src + c, width - c), d, dst.row(i) + c);
  }
}

// dst = factor * src, of `width` elements; src has whole vectors.
template <class Element>
void write_row(const float* src, std::size_t width, float factor, Element* dst) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, factor);
  std::size_t c = 0;
  for (; c + lanes <= width; c += lanes)
    store_f32(hn::Mul(hn::LoadU(d, src + c), scale), d, dst + c);
  if (c < width) store_f32(hn::Mul(hn::LoadU(d, src + c), scale), d, dst + c, width - c);
}

// dst (width, rows) = src^T, src (rows, width).
template <class Element>
void copy_transposed(const Element* src, std::size_t src_stride, std::size_t rows,
                     std::size_t width, const Panel& dst) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  write_transposed(rows, width, dst, [&](std::size_t row, std::size_t c) HWY_ATTR {
    if (c == 0 && row + kRowsAhead < rows)
      prefetch_row(src + (row + kRowsAhead) * src_stride, width);
    const Element* from = src + row * src_stride + c;
    return c + lanes <= width ? load_f32(d, from) : load_f32(d, from, width - c);
  });
}

// scores[0, count) = unit * scores + log2(e) * bias; bias may be null.
inline void apply_bias(const float* bias, float unit, std::size_t count, float* scores) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, unit), log2e = hn::Set(d, kLog2E);
  for (std::size_t j = 0; j < count; j += lanes) {
    auto exponent = hn::Mul(hn::LoadU(d, scores + j), scale);
    if (bias != nullptr) {
      const auto add =
          j + lanes <= count ? hn::LoadU(d, bias + j) : load_f32(d, bias + j, count - j);
      exponent = hn::MulAdd(add, log2e, exponent);
    }
    hn::StoreU(exponent, d, scores + j);
  }
}

// scores[0, count) = cap tanh(scale scores / cap); `slopes`, unless null, takes the derivatives of
// the cap. Both have room up to the next whole vector.
inline void soft_cap(float scale, float cap, std::size_t count, float* scores, float* slopes) {
  const hn::ScalableTag<float> d;
  const auto inner = hn::Set(d, scale / cap), outer = hn::Set(d, cap), one = hn::Set(d, 1.0f);
  for (std::size_t j = 0; j < count; j += hn::Lanes(d)) {
    const auto tangent = hn::Tanh(d, hn::Mul(hn::LoadU(d, scores + j), inner));
    hn::StoreU(hn::Mul(tangent, outer), d, scores + j);
    if (slopes != nullptr) hn::StoreU(hn::NegMulAdd(tangent, tangent, one), d, slopes + j);
  }
}

struct RowSum {
  float largest;  // exponent of 2
  float sum;
};

inline float largest_of(const float* scores, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto largest = lowest;
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) largest = hn::Max(largest, hn::LoadU(d, scores + j));
  if (j < count) {
    largest = hn::Max(largest,
                      hn::IfThenElse(hn::FirstN(d, count - j), hn::LoadU(d, scores + j), lowest));
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

// 2^(unit * score - shift) for the first `count` scores of a row, zeros for the rest of `width`:
// store(p, j) takes each vector p of columns from j.
template <class Store>
HWY_INLINE void exponentiate(const float* scores, float unit, float shift, std::size_t count,
                             std::size_t width, const Store& store) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, unit), level = hn::Set(d, shift);
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    store(exp2_nonpositive(d, hn::MulSub(hn::LoadU(d, scores + j), scale, level)), j);
  }
  if (j < count) {
    const auto p = exp2_nonpositive(d, hn::MulSub(hn::LoadU(d, scores + j), scale, level));
    store(hn::IfThenElseZero(hn::FirstN(d, count - j), p), j);
    j += lanes;
  }
  for (; j < width; j += lanes) store(hn::Zero(d), j);
}

// The softmax of a row before it is divided by its sum: store(p, j) takes the vectors of 2^(unit *
// score - largest). A row with nothing to attend has sum 0. REQUIRES: unit > 0; room up to the next
// whole vector after `width`.
template <class Store>
HWY_INLINE RowSum softmax_row(const float* scores, float unit, std::size_t count, std::size_t width,
                              const Store& store) {
  const hn::ScalableTag<float> d;
  const float largest = unit * largest_of(scores, count);
  const float shift = largest == -std::numeric_limits<float>::infinity() ? 0.0f : largest;
  auto sum = hn::Zero(d);
  exponentiate(scores, unit, shift, count, width,
               [&](hn::Vec<decltype(d)> p, std::size_t j) HWY_ATTR {
                 sum = hn::Add(sum, p);
                 store(p, j);
               });
  return {largest, hn::GetLane(hn::SumOfLanes(d, sum))};
}

// p = 2^(unit * score - shift) in place, over [0, width). Returns sum_j p_j dp_j; dp may be null.
inline float probabilities(float* scores, const float* dp, float unit, float shift,
                           std::size_t count, std::size_t width) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  exponentiate(scores, unit, shift, count, width,
               [&](hn::Vec<decltype(d)> p, std::size_t j) HWY_ATTR {
                 hn::StoreU(p, d, scores + j);
                 if (dp != nullptr) sum = hn::MulAdd(p, hn::LoadU(d, dp + j), sum);
               });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// dp -> p (dp - mean) over [0, width), whole vectors.
inline void score_gradient(const float* p, float mean, std::size_t width, float* dp) {
  const hn::ScalableTag<float> d;
  const auto level = hn::Set(d, mean);
  for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(hn::LoadU(d, p + j), hn::Sub(hn::LoadU(d, dp + j), level)), d, dp + j);
  }
}

// dst *= src over [0, count), whole vectors.
inline void multiply_row(const float* src, std::size_t count, float* dst) {
  const hn::ScalableTag<float> d;
  for (std::size_t j = 0; j < count; j += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(hn::LoadU(d, dst + j), hn::LoadU(d, src + j)), d, dst + j);
  }
}

// dst += src over [0, count).
inline void add_row(const float* src, std::size_t count, float* dst) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, dst + j), hn::LoadU(d, src + j)), d, dst + j);
  }
  if (j < count) {
    store_f32(hn::Add(load_f32(d, dst + j, count - j), hn::LoadU(d, src + j)), d, dst + j,
              count - j);
  }
}

// lse_i = ln(2) largest_i + ln(sum_i) for `count` rows; -inf for a sum of 0.
inline void log_sum_exp(const float* largest, const float* sum, std::size_t count, float* lse) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = [&](hn::Vec<decltype(d)> top, hn::Vec<decltype(d)> total) HWY_ATTR {
    const auto empty = hn::Eq(total, hn::Zero(d));
    const auto log = hn::Log(d, hn::IfThenElse(empty, hn::Set(d, 1.0f), total));
    return hn::IfThenElse(empty, hn::Set(d, -std::numeric_limits<float>::infinity()),
                          hn::MulAdd(top, hn::Set(d, kLn2), log));
  };
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(one(hn::LoadU(d, largest + i), hn::LoadU(d, sum + i)), d, lse + i);
  }
  if (i < count) {
    store_f32(one(load_f32(d, largest + i, count - i), load_f32(d, sum + i, count - i)), d, lse + i,
              count - i);
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
