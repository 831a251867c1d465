#include "tensor/kernels/norm_square.h"

#include <vector>

#include "tensor/kernels/norm_square_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/norm_square.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

using F64 = hn::CappedTag<double, 8>;
using V64 = hn::Vec<F64>;

// Element i goes to lane i % 32 of the sums, which are then added in halves.
double block_norm_square(const Input& src, int64_t start, int64_t count) {
  constexpr std::size_t kWidth64 = hn::MaxLanes(F64()), kParts64 = 32 / kWidth64;
  const hn::Rebind<float, F64> narrow;
  V64 sums[kParts64];
  for (V64& sum : sums) sum = hn::Zero(F64());
  const auto add = [&](V64& sum, const auto* values, std::size_t n) HWY_ATTR {
    const auto x = n == kWidth64 ? load_f32(narrow, values) : load_f32(narrow, values, n);
    const V64 wide = hn::PromoteTo(F64(), x);
    sum = hn::MulAdd(wide, wide, sum);
  };
  for (int64_t i = 0; i < count; i += static_cast<int64_t>(kWidth64)) {
    const std::size_t n = std::min(kWidth64, static_cast<std::size_t>(count - i));
    V64& sum = sums[static_cast<std::size_t>(i) / kWidth64 % kParts64];
    if (src.dtype() == DType::kBF16) {
      add(sum, src.as<BFloat16>() + start + i, n);
    } else {
      add(sum, src.as<float>() + start + i, n);
    }
  }
  HWY_ALIGN double lanes[32];
  for (std::size_t part = 0; part < kParts64; ++part)
    hn::Store(sums[part], F64(), lanes + part * kWidth64);
  for (std::size_t half = 16; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(block_norm_square);

constexpr int64_t kBlock = 4096;

// Neighbours are added, then neighbouring pairs, and so on.
double tree_sum(std::vector<double>& sums) {
  for (std::size_t stride = 1; stride < sums.size(); stride *= 2) {
    for (std::size_t i = 0; i + stride < sums.size(); i += 2 * stride) sums[i] += sums[i + stride];
  }
  return sums.empty() ? 0.0 : sums[0];
}

}  // namespace

double norm_square(Input src, int64_t count) {
  if (runs_in_double({src})) return norm_square_reference(src, count);
  thread_local std::vector<double>
      sums;  // grows once, so that a step in steady state allocates nothing
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  sums.resize(static_cast<std::size_t>(blocks));
  double* block_sums = sums.data();
  parallel_ranges(blocks, kBlock, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t start = block * kBlock;
      block_sums[block] =
          HWY_DYNAMIC_DISPATCH(block_norm_square)(src, start, std::min(kBlock, count - start));
    }
  });
  return tree_sum(sums);
}

}  // namespace inlay::kernels
#endif
