// One block of each format as vectors of f32, for dequantise.cc. T is float, BFloat16 or
// WideBFloat16. The order of the multiplications and subtractions is that of the references, so the
// bits are. Elements are stored by 32, whatever the width of a vector.

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
#include "tensor/quantised/q5_0.h"
#include "tensor/quantised/q5_k.h"
#include "tensor/quantised/q6_k.h"
#include "tensor/quantised/q8_0.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using I32 = hn::RebindToSigned<F32>;
using VI32 = hn::Vec<I32>;

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

// 32 elements: kParts vectors, part p from element p * kWidth on.
struct V32s {
  V32 part[kParts];
};

HWY_INLINE void store_32(const V32s& values, float* dst) {
  for (std::size_t p = 0; p < kParts; ++p) {
    hn::StoreU(values.part[p], F32(), dst + p * kWidth);
  }
}

using Words = hn::RebindToUnsigned<F32>;

// The upper half of a lane is then the number rounded to nearest even. A NaN needs no care: those
// of scale_value() and of the processor have lower halves of zero.
HWY_INLINE hn::Vec<Words> rounded_up(V32 v) {
  const Words words;
  const auto bits = hn::BitCast(words, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1));
  return hn::Add(hn::Add(bits, hn::Set(words, 0x7fff)), odd);
}

// Takes the upper halves of two vectors at once.
HWY_INLINE void store_32(const V32s& values, BFloat16* dst) {
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t p = 0; p < kParts; ++p) dst[p] = BFloat16(hn::GetLane(values.part[p]));
#else
  const hn::Repartition<uint16_t, F32> halves;
  for (std::size_t p = 0; p < kParts; p += 2) {
    const auto both = hn::ConcatOdd(halves, hn::BitCast(halves, rounded_up(values.part[p + 1])),
                                    hn::BitCast(halves, rounded_up(values.part[p])));
    hn::StoreU(both, halves, bits_of(dst + p * kWidth));
  }
#endif
}

// An f32 number that bf16 has.
struct WideBFloat16 {
  WideBFloat16() = default;
  explicit WideBFloat16(float number) : value(static_cast<float>(BFloat16(number))) {}
  float value;
};

HWY_INLINE void store_32(const V32s& values, WideBFloat16* dst) {
  const Words words;
  for (std::size_t p = 0; p < kParts; ++p) {
    const auto upper = hn::And(rounded_up(values.part[p]), hn::Set(words, 0xffff0000u));
    hn::StoreU(hn::BitCast(F32(), upper), F32(), &dst[p * kWidth].value);
  }
}

// The vectors that value(p) gives, for parts p of 32 elements.
template <class Value>
HWY_INLINE V32s each_part(const Value& value) {
  V32s values;
  for (std::size_t p = 0; p < kParts; ++p) values.part[p] = value(p);
  return values;
}

template <class T>
HWY_INLINE void int8_32(const std::byte* src, V32 scale, T* dst) {
  store_32(each_part([&](std::size_t p) HWY_ATTR {
             return hn::Mul(scale, to_float(load_signed(src + p * kWidth)));
           }),
           dst);
}

template <class T>
HWY_INLINE void q8_0_block(const std::byte* src, T* dst) {
  int8_32(src + 2, set(scale_value<Float16>(src)), dst);
}

template <class T>
HWY_INLINE void q4_0_block(const std::byte* src, T* dst) {
  const V32 scale = set(scale_value<Float16>(src));
  store_32(each_part([&](std::size_t p) HWY_ATTR {
             const VI32 both = load_unsigned(src + 2 + p * kWidth % 16);
             const VI32 steps = p < kParts / 2 ? low_half(both) : high_half(both);
             return hn::Mul(scale, to_float(minus(steps, 8)));
           }),
           dst);
}

// 16 where a lane of `bits` has the bit of `bit`, added to four lower bits.
HWY_INLINE VI32 with_fifth_bit(VI32 low, VI32 bits, VI32 bit) {
  return hn::Or(low, hn::IfThenElseZero(hn::TestBit(bits, bit), hn::Set(I32(), 16)));
}

template <class T>
HWY_INLINE void q5_0_block(const std::byte* src, T* dst) {
  alignas(64) constexpr int32_t kLaneBits[16] = {1,   2,   4,    8,    16,   32,   64,    128,
                                                 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  const V32 scale = set(scale_value<Float16>(src));
  const auto high = load_value<uint32_t>(src + q5_0::kHigh);
  const VI32 lane = hn::LoadU(I32(), kLaneBits);
  store_32(each_part([&](std::size_t p) HWY_ATTR {
             const VI32 both = load_unsigned(src + q5_0::kSteps + p * kWidth % 16);
             const VI32 low = p < kParts / 2 ? low_half(both) : high_half(both);
             const VI32 bits = hn::Set(I32(), static_cast<int32_t>(high >> (p * kWidth)));
             return hn::Mul(scale, to_float(minus(with_fifth_bit(low, bits, lane), 16)));
           }),
           dst);
}

template <class T>
HWY_INLINE void q4_k_block(const std::byte* src, T* dst) {
  const q4_k::Parts parts = q4_k::parts_of(src);
  const std::byte* steps = src + q4_k::kSteps;
  for (std::size_t part = 0; part < q4_k::kParts; part += 2, steps += q4_k::kPart) {
    const V32 low_scale = set(parts.scale[part]), low_min = set(parts.minimum[part]);
    const V32 high_scale = set(parts.scale[part + 1]), high_min = set(parts.minimum[part + 1]);
    V32s low, high;
    for (std::size_t p = 0; p < kParts; ++p) {
      const VI32 both = load_unsigned(steps + p * kWidth);
      low.part[p] = hn::Sub(hn::Mul(low_scale, to_float(low_half(both))), low_min);
      high.part[p] = hn::Sub(hn::Mul(high_scale, to_float(high_half(both))), high_min);
    }
    store_32(low, dst);
    store_32(high, dst + q4_k::kPart);
    dst += 2 * q4_k::kPart;
  }
}

template <class T>
HWY_INLINE void q5_k_block(const std::byte* src, T* dst) {
  const q4_k::Parts parts = q4_k::parts_of(src);
  for (std::size_t part = 0; part < q4_k::kParts; ++part, dst += q4_k::kPart) {
    const V32 scale = set(parts.scale[part]), minimum = set(parts.minimum[part]);
    const VI32 bit = hn::Set(I32(), 1 << part);
    const std::byte* steps = src + q5_k::kSteps + part / 2 * q4_k::kPart;
    store_32(each_part([&](std::size_t p) HWY_ATTR {
               const VI32 both = load_unsigned(steps + p * kWidth);
               const VI32 low = part % 2 == 0 ? low_half(both) : high_half(both);
               const VI32 high = load_unsigned(src + q5_k::kHigh + p * kWidth);
               return hn::Sub(hn::Mul(scale, to_float(with_fifth_bit(low, high, bit))), minimum);
             }),
             dst);
  }
}

// Elements 32 k + i of half a block for k = kLow and kLow + 2, whose low bits share bytes; scales
// of the two sixteens of each.
template <int kLow, class T>
HWY_INLINE void q6_k_parts(const std::byte* low, const std::byte* high, const V32 (&scales)[4],
                           T* dst) {
  const VI32 three = hn::Set(I32(), 3);
  V32s first, second;
  for (std::size_t p = 0; p < kParts; ++p) {
    const VI32 bits = load_unsigned(low + p * kWidth), above = load_unsigned(high + p * kWidth);
    const VI32 first_high = hn::And(hn::ShiftRight<2 * kLow>(above), three);
    const VI32 second_high = hn::And(hn::ShiftRight<2 * kLow + 4>(above), three);
    const VI32 first_steps = hn::Or(low_half(bits), hn::ShiftLeft<4>(first_high));
    const VI32 second_steps = hn::Or(high_half(bits), hn::ShiftLeft<4>(second_high));
    const std::size_t sixteen = p / (kParts / 2);
    first.part[p] = hn::Mul(scales[sixteen], to_float(minus(first_steps, 32)));
    second.part[p] = hn::Mul(scales[2 + sixteen], to_float(minus(second_steps, 32)));
  }
  store_32(first, dst);
  store_32(second, dst + 64);
}

template <class T>
HWY_INLINE void q6_k_block(const std::byte* src, T* dst) {
  const float scale = scale_value<Float16>(src + q6_k::kScale);
  for (int64_t half = 0; half < 2; ++half, dst += 128) {
    const std::byte* low = src + half * 64;
    const std::byte* high = src + q6_k::kHigh + half * 32;
    const auto scale_of = [&](int64_t part) HWY_ATTR {
      const auto stored = static_cast<int8_t>(src[q6_k::kScales + half * 8 + part]);
      return set(scale * static_cast<float>(stored));
    };
    const V32 even[4] = {scale_of(0), scale_of(1), scale_of(4), scale_of(5)};
    const V32 odd[4] = {scale_of(2), scale_of(3), scale_of(6), scale_of(7)};
    q6_k_parts<0>(low, high, even, dst);
    q6_k_parts<1>(low + 32, high, odd, dst + 32);
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
  const V32 scale = set(magnitude);
  V32s low, high;
  for (std::size_t p = 0; p < kParts; ++p) {
    const VI32 both = load_unsigned(src + p * kWidth);
    low.part[p] = hn::Mul(nf4_values(low_half(both)), scale);
    high.part[p] = hn::Mul(nf4_values(high_half(both)), scale);
  }
  store_32(low, dst);
  store_32(high, dst + nf4::kLength / 2);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
