#include "tensor/kernels/row_mixture.h"

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/row_mixture_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/row_mixture.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void mix(const MixedRows& args, const Input& src, const Output& dst, int64_t first, int64_t last) {
  const int64_t channels = args.channels, outputs = args.mixture.rows();
  for (int64_t row = first; row < last; ++row) {
    const std::span<const RowRead> reads = args.mixture.of(row % outputs);
    const int64_t from = row / outputs * args.inputs;
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = set(0.0f);
      for (const RowRead& one : reads) {
        const V32 x = load_any(src, (from + one.row) * channels + c, n);
        sum = hn::MulAdd(x, set(static_cast<float>(one.weight)), sum);
      }
      store_any(sum, dst, row * channels + c, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(mix);
}  // namespace

void RowMixture::add(std::span<const RowRead> reads) {
  reads_.insert(reads_.end(), reads.begin(), reads.end());
  first_.push_back(static_cast<int64_t>(reads_.size()));
}

std::span<const RowRead> RowMixture::of(int64_t row) const {
  const auto at = static_cast<std::size_t>(row);
  const auto begin = static_cast<std::size_t>(first_[at]);
  return {reads_.data() + begin, static_cast<std::size_t>(first_[at + 1]) - begin};
}

RowMixture RowMixture::reversed(int64_t inputs) const {
  std::vector<std::vector<RowRead>> readers(static_cast<std::size_t>(inputs));
  for (int64_t row = 0; row < rows(); ++row) {
    for (const RowRead& one : of(row))
      readers[static_cast<std::size_t>(one.row)].push_back({row, one.weight});
  }
  RowMixture result;
  for (const std::vector<RowRead>& reads : readers) result.add(reads);
  return result;
}

void mix_rows(const MixedRows& args, Input src, Output dst) {
  if (runs_in_double({src, dst})) return mix_rows_reference<double>(args, src, dst);
  // Of about as many rows as a cubic filter reads.
  constexpr int64_t kReads = 16;
  parallel_ranges(args.maps * args.mixture.rows(), kReads * args.channels,
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(mix)(args, src, dst, first, last);
                  });
}

}  // namespace inlay::kernels
#endif
