#include "tensor/kernels/dropout.h"

#include <cmath>

#include "tensor/kernels/dropout_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/dropout.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// Random words are compared as integers: unit_float(bits) >= p exactly when bits >> 8 >= p * 2^24
// rounded up.
uint32_t keep_threshold(float probability) {
  return static_cast<uint32_t>(std::ceil(probability * 0x1p24f));
}

#if HWY_TARGET == HWY_SCALAR

void dropout_rows(const Dropout& args, const Input& src, const Output& dst, int64_t first,
                  int64_t last) {
  const uint32_t threshold = keep_threshold(static_cast<float>(args.probability));
  const float factor = 1.0f / (1.0f - static_cast<float>(args.probability));
  for (int64_t t = first; t < last; ++t) {
    for (int64_t c = 0; c < args.channels; c += 4) {
      const PhiloxCounter words =
          philox4x32({static_cast<uint32_t>(c / 4), static_cast<uint32_t>(args.token_position[t]),
                      static_cast<uint32_t>(args.example_place[t]), args.step},
                     args.key);
      for (int64_t lane = 0; lane < 4 && c + lane < args.channels; ++lane) {
        const int64_t i = t * args.channels + c + lane;
        const bool keep = words[static_cast<std::size_t>(lane)] >> 8 >= threshold;
        dst.store(i, keep ? src.load<float>(i) * factor : 0.0f);
      }
    }
  }
}

#else

using U64 = hn::Repartition<uint64_t, F32>;
using U32 = hn::Repartition<uint32_t, F32>;
using VU64 = hn::Vec<U64>;
using VU32 = hn::Vec<U32>;

// The random words of 2 * kWidth consecutive elements, from kWidth / 2 counters, in element order.
struct Words {
  VU32 lower;
  VU32 upper;
};

// Each 64-bit lane holds one 32-bit word of one counter in its low half; the multiplications read
// only that half, so what is left in the upper halves does no harm.
HWY_INLINE Words philox_words(VU64 x0, VU64 x1, VU64 x2, VU64 x3, PhiloxKey key) {
  const U64 d;
  const U32 half;
  const VU32 multiplier0 = hn::BitCast(half, hn::Set(d, 0xD2511F53u));
  const VU32 multiplier1 = hn::BitCast(half, hn::Set(d, 0xCD9E8D57u));
  for (int round = 0; round < 10; ++round) {
    const VU64 product0 = hn::MulEven(hn::BitCast(half, x0), multiplier0);
    const VU64 product1 = hn::MulEven(hn::BitCast(half, x2), multiplier1);
    x0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), x1), hn::Set(d, key[0]));
    x2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), x3), hn::Set(d, key[1]));
    x1 = product1;
    x3 = product0;
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  // Lane 2k holds counter k and lane 2k + 1 counter kWidth / 4 + k, so that interleaving leaves the
  // words in order: (w0 w1 w2 w3) of counters 0, 1, ... in `lower` and of kWidth / 4, ... in
  // `upper`.
  const VU64 low_word = hn::Set(d, 0xffffffffu);
  const VU64 words01 = hn::Or(hn::And(x0, low_word), hn::ShiftLeft<32>(x1));
  const VU64 words23 = hn::Or(hn::And(x2, low_word), hn::ShiftLeft<32>(x3));
  return {hn::BitCast(half, hn::InterleaveLower(d, words01, words23)),
          hn::BitCast(half, hn::InterleaveUpper(d, words01, words23))};
}

// 0, kWidth / 4, 1, kWidth / 4 + 1, ...
HWY_INLINE VU64 counter_order() {
  HWY_ALIGN uint64_t order[kWidth / 2];
  for (std::size_t lane = 0; lane < kWidth / 2; ++lane)
    order[lane] = lane / 2 + lane % 2 * (kWidth / 4);
  return hn::Load(U64(), order);
}

void dropout_rows(const Dropout& args, const Input& src, const Output& dst, int64_t first,
                  int64_t last) {
  const U64 d;
  const hn::Repartition<int32_t, F32> di;
  const auto threshold =
      hn::Set(di, static_cast<int32_t>(keep_threshold(static_cast<float>(args.probability))));
  const V32 factor = set(1.0f / (1.0f - static_cast<float>(args.probability)));
  const VU64 order = counter_order();
  constexpr auto kStride = static_cast<int64_t>(2 * kWidth);
  for (int64_t t = first; t < last; ++t) {
    const VU64 position = hn::Set(d, static_cast<uint32_t>(args.token_position[t]));
    const VU64 place = hn::Set(d, static_cast<uint32_t>(args.example_place[t]));
    const VU64 step = hn::Set(d, args.step);
    const auto write = [&](VU32 words, int64_t c) HWY_ATTR {
      if (c >= args.channels) return;
      const std::size_t n = std::min(kWidth, static_cast<std::size_t>(args.channels - c));
      const auto drop = hn::Lt(hn::BitCast(di, hn::ShiftRight<8>(words)), threshold);
      const V32 scaled = hn::Mul(load_any(src, t * args.channels + c, n), factor);
      store_any(hn::IfThenZeroElse(hn::RebindMask(F32(), drop), scaled), dst, t * args.channels + c,
                n);
    };
    for (int64_t c = 0; c < args.channels; c += kStride) {
      const VU64 counter = hn::Add(hn::Set(d, static_cast<uint64_t>(c / 4)), order);
      const Words words = philox_words(counter, position, place, step, args.key);
      write(words.lower, c);
      write(words.upper, c + static_cast<int64_t>(kWidth));
    }
  }
}

#endif

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(dropout_rows);
}  // namespace

void dropout(const Dropout& args, Input src, Output dst) {
  if (runs_in_double({src, dst})) return dropout_reference<double>(args, src, dst);
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(dropout_rows)(args, src, dst, first, last);
  });
}

}  // namespace inlay::kernels
#endif
