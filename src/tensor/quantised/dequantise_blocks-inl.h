// One block of each format as vectors of f32, for dequantise.cc. T is float or BFloat16. The order
// of the multiplications and subtractions is that of the references, so the bits are.

#if defined(INLAY_TENSOR_QUANTISED_DEQUANTISE_BLOCKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_TENSOR_QUANTISED_DEQUANTISE_BLOCKS_INL_H_
#undef INLAY_TENSOR_QUANTISED_DEQUANTISE_BLOCKS_INL_H_
#else
#define INLAY_TENSOR_QUANTISED_DEQUANTISE_BLOCKS_INL_H_
#endif

#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/quantised/block_rows.h"
#include "tensor/quantised/nf4.h"
#include "tensor/quantised/q4_0.h"
#include "tensor/quantised/q4_k.h"
#include "tensor/quantised/q6_k.h"
#include "tensor/quantised/q8_0.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using I32 = hn::RebindToSigned<F32>;
using VI32 = hn::Vec<I32>;
inline constexpr auto kLanes = static_cast<int64_t>(kWidth);

// kWidth bytes, widened.
HWY_INLINE VI32 load_unsigned(const std::byte* src) {
  const hn::Rebind<uint8_t, F32> bytes;
  return hn::PromoteTo(I32(), hn::LoadU(bytes, reinterpret_cast<const uint8_t*>(src)));
}
HWY_INLINE VI32 load_signed(const std::byte* src) {
  const hn::Rebind<int8_t, F32> bytes;
  return hn::PromoteTo(I32(), hn::LoadU(bytes, reinterpret_cast<const int8_t*>(src)));
}

HWY_INLINE V32 to_float(VI32 v) { return hn::ConvertTo(F32(), v); }
HWY_INLINE VI32 low_half(VI32 v) { return hn::And(v, hn::Set(I32(), 15)); }
HWY_INLINE VI32 high_half(VI32 v) { return hn::ShiftRight<4>(v); }  // of a byte, widened
HWY_INLINE VI32 minus(VI32 v, int32_t offset) { return hn::Sub(v, hn::Set(I32(), offset)); }

HWY_INLINE float half_value(const std::byte* src) {
  return static_cast<float>(load_value<Float16>(src));
}

template <class T>
HWY_INLINE void q8_0_block(const std::byte* src, T* dst) {
  const V32 scale = set(half_value(src));
  for (int64_t i = 0; i < q8_0::kLength; i += kLanes) {
    store_some(hn::Mul(scale, to_float(load_signed(src + 2 + i))), dst + i, kWidth);
  }
}

template <class T>
HWY_INLINE void q4_0_block(const std::byte* src, T* dst) {
  constexpr int64_t kHalf = q4_0::kLength / 2;
  const V32 scale = set(half_value(src));
  for (int64_t i = 0; i < kHalf; i += kLanes) {
    const VI32 both = load_unsigned(src + 2 + i);
    store_some(hn::Mul(scale, to_float(minus(low_half(both), 8))), dst + i, kWidth);
    store_some(hn::Mul(scale, to_float(minus(high_half(both), 8))), dst + i + kHalf, kWidth);
  }
}

template <class T>
HWY_INLINE void q4_k_block(const std::byte* src, T* dst) {
  const q4_k::Parts parts = q4_k::parts_of(src);
  const std::byte* steps = src + q4_k::kSteps;
  for (std::size_t part = 0; part < q4_k::kParts; part += 2) {
    const V32 low_scale = set(parts.scale[part]), high_scale = set(parts.scale[part + 1]);
    const V32 low_min = set(parts.minimum[part]), high_min = set(parts.minimum[part + 1]);
    for (int64_t i = 0; i < q4_k::kPart; i += kLanes) {
      const VI32 both = load_unsigned(steps + i);
      const V32 low = hn::Mul(low_scale, to_float(low_half(both)));
      const V32 high = hn::Mul(high_scale, to_float(high_half(both)));
      store_some(hn::Sub(low, low_min), dst + i, kWidth);
      store_some(hn::Sub(high, high_min), dst + i + q4_k::kPart, kWidth);
    }
    steps += q4_k::kPart;
    dst += 2 * q4_k::kPart;
  }
}

// Elements 32 k + i of half a block, i = first..first + 16, k = kLow and kLow + 2, whose low bits
// share bytes.
template <int kLow, class T>
HWY_INLINE void q6_k_part(const std::byte* low, const std::byte* high, V32 scale, V32 other,
                          T* dst) {
  for (int64_t i = 0; i < 16; i += kLanes) {
    const VI32 bits = load_unsigned(low + i), above = load_unsigned(high + i);
    const VI32 three = hn::Set(I32(), 3);
    const VI32 first_high = hn::And(hn::ShiftRight<2 * kLow>(above), three);
    const VI32 other_high = hn::And(hn::ShiftRight<2 * kLow + 4>(above), three);
    const VI32 first = hn::Or(low_half(bits), hn::ShiftLeft<4>(first_high));
    const VI32 second = hn::Or(high_half(bits), hn::ShiftLeft<4>(other_high));
    store_some(hn::Mul(scale, to_float(minus(first, 32))), dst + i, kWidth);
    store_some(hn::Mul(other, to_float(minus(second, 32))), dst + i + 64, kWidth);
  }
}

template <class T>
HWY_INLINE void q6_k_block(const std::byte* src, T* dst) {
  const float scale = half_value(src + q6_k::kScale);
  const auto scale_of = [&](int64_t part) HWY_ATTR {
    const auto stored = static_cast<int8_t>(src[q6_k::kScales + part]);
    return set(scale * static_cast<float>(stored));
  };
  for (int64_t half = 0; half < 2; ++half) {
    const std::byte* low = src + half * 64;
    const std::byte* high = src + q6_k::kHigh + half * 32;
    for (int64_t i = 0; i < 2; ++i) {  // the two sixteens of 32 elements
      const int64_t part = half * 8 + i;
      T* out = dst + half * 128 + i * 16;
      q6_k_part<0>(low + i * 16, high + i * 16, scale_of(part), scale_of(part + 4), out);
      q6_k_part<1>(low + 32 + i * 16, high + i * 16, scale_of(part + 2), scale_of(part + 6),
                   out + 32);
    }
  }
}

// kValues[index], from registers where a vector or two hold the table.
HWY_INLINE V32 nf4_values(VI32 index) {
#if HWY_TARGET == HWY_SCALAR
  return set(nf4::kValues[static_cast<std::size_t>(hn::GetLane(index))]);
#else
  const float* table = nf4::kValues.data();
  if constexpr (kWidth == 16) {
    return hn::TableLookupLanes(hn::LoadU(F32(), table), hn::IndicesFromVec(F32(), index));
  } else if constexpr (kWidth == 8) {
    const auto within = hn::IndicesFromVec(F32(), hn::And(index, hn::Set(I32(), 7)));
    const V32 below = hn::TableLookupLanes(hn::LoadU(F32(), table), within);
    const V32 above = hn::TableLookupLanes(hn::LoadU(F32(), table + 8), within);
    const auto upper = hn::RebindMask(F32(), hn::Gt(index, hn::Set(I32(), 7)));
    return hn::IfThenElse(upper, above, below);
  } else {
    return hn::GatherIndex(F32(), table, index);
  }
#endif
}

template <class T>
HWY_INLINE void nf4_block(const std::byte* src, float magnitude, T* dst) {
  constexpr int64_t kHalf = nf4::kLength / 2;
  const V32 scale = set(magnitude);
  for (int64_t i = 0; i < kHalf; i += kLanes) {
    const VI32 both = load_unsigned(src + i);
    store_some(hn::Mul(nf4_values(low_half(both)), scale), dst + i, kWidth);
    store_some(hn::Mul(nf4_values(high_half(both)), scale), dst + i + kHalf, kWidth);
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
