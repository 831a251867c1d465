// Vectors of f32 over operands of any element type, and reductions over a row in one order for
// every instruction set: element i goes to lane i % 32 of an accumulator, and at the end lanes l
// and l + 16 are added, then l and l + 8, and so on. Inside Highway kernels:
//
//   V32 sums[kParts];
//   fill_parts(sums, set(0.0f));
//   fold(count, sums, [&](V32& sum, int64_t i, std::size_t n) HWY_ATTR {
//     sum = hn::Add(sum, load_any(src, i, n));
//   });
//   float total = sum_parts(sums);

#if defined(INLAY_KERNELS_ROW_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ROW_FOLD_INL_H_
#undef INLAY_KERNELS_ROW_FOLD_INL_H_
#else
#define INLAY_KERNELS_ROW_FOLD_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "tensor/kernels/element_io-inl.h"
#include "tensor/kernels/operand.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, 16>;
using V32 = hn::Vec<F32>;
inline constexpr std::size_t kWidth = hn::MaxLanes(F32());  // elements of a vector
inline constexpr std::size_t kParts = 32 / kWidth;          // vectors that make 32 lanes

HWY_INLINE V32 set(float value) { return hn::Set(F32(), value); }

// The first n elements, zeros beyond. In the body of a loop n is kWidth, a constant.
template <class T>
HWY_INLINE V32 load_some(const T* src, std::size_t n) {
  return n == kWidth ? load_f32(F32(), src) : load_f32(F32(), src, n);
}

template <class T>
HWY_INLINE void store_some(V32 v, T* dst, std::size_t n) {
  n == kWidth ? store_f32(v, F32(), dst) : store_f32(v, F32(), dst, n);
}

// Elements [i, i + n) of an f32 or bf16 operand. The branch on the type goes the same way for a
// whole buffer, so it costs next to nothing beside a vector of 64 bytes, and spares a kernel for
// every combination of types.
HWY_INLINE V32 load_any(const Input& src, int64_t i, std::size_t n) {
  return src.dtype() == DType::kBF16 ? load_some(src.as<BFloat16>() + i, n)
                                     : load_some(src.as<float>() + i, n);
}

HWY_INLINE void store_any(V32 v, const Output& dst, int64_t i, std::size_t n) {
  dst.dtype() == DType::kBF16 ? store_some(v, dst.as<BFloat16>() + i, n)
                              : store_some(v, dst.as<float>() + i, n);
}

// v in the first n lanes, `other` beyond.
HWY_INLINE V32 first_or(V32 v, std::size_t n, V32 other) {
  return n == kWidth ? v : hn::IfThenElse(hn::FirstN(F32(), n), v, other);
}

// step(i, n) for every vector of elements [first, last); n is less than kWidth only for the last.
template <class Step>
HWY_INLINE void for_vectors(int64_t first, int64_t last, const Step& step) {
  constexpr auto kStride = static_cast<int64_t>(kWidth);
  int64_t i = first;
  for (; i + kStride <= last; i += kStride) step(i, kWidth);
  if (i < last) step(i, static_cast<std::size_t>(last - i));
}

// step(states[part], i, n) for every vector, part = i / kWidth % kParts.
template <class State, class Step>
HWY_INLINE void fold(int64_t count, State (&states)[kParts], const Step& step) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    for (std::size_t part = 0; part < kParts; ++part) {
      step(states[part], i + static_cast<int64_t>(part * kWidth), kWidth);
    }
  }
  for (std::size_t part = 0; i < count; ++part, i += static_cast<int64_t>(kWidth)) {
    step(states[part], i, std::min(kWidth, static_cast<std::size_t>(count - i)));
  }
}

template <class State>
HWY_INLINE void fill_parts(State (&states)[kParts], State value) {
  for (State& state : states) state = value;
}

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE float sum_lanes(F32 /*d*/, V32 v) { return hn::GetLane(v); }
#else
template <class D>
HWY_INLINE float sum_lanes(D /*d*/, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return sum_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}
#endif

HWY_INLINE float sum_parts(V32 (&parts)[kParts]) {
  for (std::size_t half = kParts / 2; half > 0; half /= 2) {
    for (std::size_t part = 0; part < half; ++part) {
      parts[part] = hn::Add(parts[part], parts[part + half]);
    }
  }
  return sum_lanes(F32(), parts[0]);
}

// The largest lane; a NaN may or may not survive.
HWY_INLINE float max_parts(V32 (&parts)[kParts]) {
  V32 largest = parts[0];
  for (std::size_t part = 1; part < kParts; ++part) largest = hn::Max(largest, parts[part]);
  return hn::GetLane(hn::MaxOfLanes(F32(), largest));
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
