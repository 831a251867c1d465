#include "tensor/kernels/map_pooling.h"

#include <cstring>

#include "tensor/kernels/map_pooling_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/map_pooling.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

using I32 = hn::RebindToSigned<F32>;
using VI32 = hn::Vec<I32>;

HWY_INLINE VI32 set_place(int64_t place) { return hn::Set(I32(), static_cast<int32_t>(place)); }

HWY_INLINE VI32 load_places(const int32_t* src, std::size_t n) {
  if (n == kWidth) return hn::LoadU(I32(), src);
  HWY_ALIGN int32_t buffer[kWidth] = {};
  std::memcpy(buffer, src, n * sizeof(int32_t));
  return hn::Load(I32(), buffer);
}

HWY_INLINE void store_places(VI32 places, int32_t* dst, std::size_t n) {
  if (n == kWidth) return hn::StoreU(places, I32(), dst);
  HWY_ALIGN int32_t buffer[kWidth];
  hn::Store(places, I32(), buffer);
  std::memcpy(dst, buffer, n * sizeof(int32_t));
}

void max_forward(const PooledMaps& args, const Input& src, const Output& dst, int32_t* winners,
                 int64_t first, int64_t last) {
  const int64_t channels = args.channels, outputs = args.geometry.outputs();
  TapReads reads(args.geometry);
  for (int64_t row = first; row < last; ++row) {
    const std::span<const TapRead> read = reads.of_output(row % outputs);
    const int64_t from = row / outputs * args.geometry.inputs();
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 largest = load_any(src, (from + read[0].place) * channels + c, n);
      VI32 winner = set_place(read[0].place);
      for (const TapRead& one : read) {
        const V32 x = load_any(src, (from + one.place) * channels + c, n);
        const auto wins = hn::Or(hn::Gt(x, largest), hn::IsNaN(x));
        largest = hn::IfThenElse(wins, x, largest);
        winner = hn::IfThenElse(hn::RebindMask(I32(), wins), set_place(one.place), winner);
      }
      store_any(largest, dst, row * channels + c, n);
      if (winners != nullptr) store_places(winner, winners + row * channels + c, n);
    });
  }
}

void max_backward(const PooledMaps& args, const Input& grad_dst, const int32_t* winners,
                  const Output& grad_src, int64_t first, int64_t last) {
  const int64_t channels = args.channels, inputs = args.geometry.inputs();
  TapReads reads(args.geometry);
  for (int64_t row = first; row < last; ++row) {
    const std::span<const TapRead> read = reads.of_input(row % inputs);
    const int64_t from = row / inputs * args.geometry.outputs();
    const VI32 own = set_place(row % inputs);
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = set(0.0f);
      for (const TapRead& one : read) {
        const int64_t i = (from + one.place) * channels + c;
        const auto won = hn::RebindMask(F32(), hn::Eq(load_places(winners + i, n), own));
        sum = hn::Add(sum, hn::IfThenElseZero(won, load_any(grad_dst, i, n)));
      }
      store_any(sum, grad_src, row * channels + c, n);
    });
  }
}

// shares (output places of a map): what a sum is multiplied by.
void average_forward(const PooledMaps& args, const float* shares, const Input& src,
                     const Output& dst, int64_t first, int64_t last) {
  const int64_t channels = args.channels, outputs = args.geometry.outputs();
  TapReads reads(args.geometry);
  for (int64_t row = first; row < last; ++row) {
    const std::span<const TapRead> read = reads.of_output(row % outputs);
    const int64_t from = row / outputs * args.geometry.inputs();
    const V32 share = set(shares[row % outputs]);
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = set(0.0f);
      for (const TapRead& one : read)
        sum = hn::Add(sum, load_any(src, (from + one.place) * channels + c, n));
      store_any(hn::Mul(sum, share), dst, row * channels + c, n);
    });
  }
}

void average_backward(const PooledMaps& args, const float* shares, const Input& grad_dst,
                      const Output& grad_src, int64_t first, int64_t last) {
  const int64_t channels = args.channels, inputs = args.geometry.inputs();
  TapReads reads(args.geometry);
  for (int64_t row = first; row < last; ++row) {
    const std::span<const TapRead> read = reads.of_input(row % inputs);
    const int64_t from = row / inputs * args.geometry.outputs();
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = set(0.0f);
      for (const TapRead& one : read) {
        const V32 grad = load_any(grad_dst, (from + one.place) * channels + c, n);
        sum = hn::MulAdd(grad, set(shares[one.place]), sum);
      }
      store_any(sum, grad_src, row * channels + c, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(max_forward);
HWY_EXPORT(max_backward);
HWY_EXPORT(average_forward);
HWY_EXPORT(average_backward);

// The elements that one place takes, for deciding about threads.
int64_t row_cost(const PooledMaps& args) { return args.channels * args.geometry.taps(); }

// What the sum of each output place is multiplied by.
std::vector<float> shares_of(const PooledMaps& args, PoolDivisor divisor) {
  TapReads reads(args.geometry);
  std::vector<float> shares(static_cast<std::size_t>(args.geometry.outputs()));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::size_t seen = reads.of_output(static_cast<int64_t>(i)).size();
    shares[i] = 1.0f / (divisor == PoolDivisor::kWindow ? static_cast<float>(args.geometry.taps())
                                                        : static_cast<float>(seen));
  }
  return shares;
}

}  // namespace

void max_pool_forward(const PooledMaps& args, Input src, Output dst, int32_t* winners) {
  if (runs_in_double({src, dst}))
    return max_pool_forward_reference<double>(args, src, dst, winners);
  parallel_ranges(args.maps * args.geometry.outputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(max_forward)(args, src, dst, winners, first, last);
                  });
}

void max_pool_backward(const PooledMaps& args, Input grad_dst, const int32_t* winners,
                       Output grad_src) {
  if (runs_in_double({grad_dst, grad_src}))
    return max_pool_backward_reference<double>(args, grad_dst, winners, grad_src);
  parallel_ranges(args.maps * args.geometry.inputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(max_backward)
                    (args, grad_dst, winners, grad_src, first, last);
                  });
}

void average_pool_forward(const PooledMaps& args, PoolDivisor divisor, Input src, Output dst) {
  if (runs_in_double({src, dst}))
    return average_pool_forward_reference<double>(args, divisor, src, dst);
  const std::vector<float> shares = shares_of(args, divisor);
  parallel_ranges(args.maps * args.geometry.outputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(average_forward)
                    (args, shares.data(), src, dst, first, last);
                  });
}

void average_pool_backward(const PooledMaps& args, PoolDivisor divisor, Input grad_dst,
                           Output grad_src) {
  if (runs_in_double({grad_dst, grad_src}))
    return average_pool_backward_reference<double>(args, divisor, grad_dst, grad_src);
  const std::vector<float> shares = shares_of(args, divisor);
  parallel_ranges(args.maps * args.geometry.inputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(average_backward)
                    (args, shares.data(), grad_dst, grad_src, first, last);
                  });
}

}  // namespace inlay::kernels
#endif
