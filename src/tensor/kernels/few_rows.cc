#include "tensor/kernels/few_rows.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/few_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/element_io-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

using D32 = hn::ScalableTag<float>;

// Rows that share one reading of the weight, and sums that each row keeps at once.
constexpr std::size_t kTogether = 4;
constexpr std::size_t kSums = 2;

// y(r, o) for kRows rows from `row` on.
template <std::size_t kRows, class W>
HWY_INLINE void dot(const FewRows& args, int64_t row, int64_t o) {
  const D32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const W* weight = args.weight.as<W>() + o * args.in;
  hn::Vec<D32> sum[kRows][kSums];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t s = 0; s < kSums; ++s) sum[r][s] = hn::Zero(d);
  }
  const auto step = static_cast<int64_t>(kSums) * lanes;
  int64_t c = 0;
  for (; c + step <= args.in; c += step) {
    for (std::size_t s = 0; s < kSums; ++s) {
      const int64_t at = c + static_cast<int64_t>(s) * lanes;
      const auto w = load_f32(d, weight + at);
      for (std::size_t r = 0; r < kRows; ++r) {
        const float* x = args.x + (row + static_cast<int64_t>(r)) * args.in;
        sum[r][s] = hn::MulAdd(hn::LoadU(d, x + at), w, sum[r][s]);
      }
    }
  }
  for (; c < args.in; c += lanes) {
    const auto count = static_cast<std::size_t>(std::min(lanes, args.in - c));
    const auto w = load_f32(d, weight + c, count);
    for (std::size_t r = 0; r < kRows; ++r) {
      const float* x = args.x + (row + static_cast<int64_t>(r)) * args.in;
      sum[r][0] = hn::MulAdd(load_f32(d, x + c, count), w, sum[r][0]);
    }
  }
  const float bias = args.bias == nullptr ? 0.0f : args.bias[o];
  for (std::size_t r = 0; r < kRows; ++r) {
    args.y[(row + static_cast<int64_t>(r)) * args.out + o] =
        bias + hn::GetLane(hn::SumOfLanes(d, hn::Add(sum[r][0], sum[r][1])));
  }
}

// Outputs [first, last) of a weight (out, in).
template <class W>
void dot_outputs(const FewRows& args, int64_t first, int64_t last) {
  const auto together = static_cast<int64_t>(kTogether);
  for (int64_t o = first; o < last; ++o) {
    int64_t row = 0;
    for (; row + together <= args.rows; row += together) dot<kTogether, W>(args, row, o);
    for (; row < args.rows; ++row) dot<1, W>(args, row, o);
  }
}

// The same of a weight (in, out): y is where sums are kept.
template <class W>
void add_inputs(const FewRows& args, int64_t first, int64_t last) {
  const D32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t row = 0; row < args.rows; ++row) {
    float* y = args.y + row * args.out;
    for (int64_t o = first; o < last; ++o) y[o] = args.bias == nullptr ? 0.0f : args.bias[o];
  }
  for (int64_t i = 0; i < args.in; ++i) {
    const W* weight = args.weight.as<W>() + i * args.out;
    for (int64_t row = 0; row < args.rows; ++row) {
      float* y = args.y + row * args.out;
      const auto x = hn::Set(d, args.x[row * args.in + i]);
      int64_t o = first;
      for (; o + lanes <= last; o += lanes)
        hn::StoreU(hn::MulAdd(x, load_f32(d, weight + o), hn::LoadU(d, y + o)), d, y + o);
      if (o == last) continue;
      const auto count = static_cast<std::size_t>(last - o);
      store_f32(hn::MulAdd(x, load_f32(d, weight + o, count), load_f32(d, y + o, count)), d, y + o,
                count);
    }
  }
}

template <class W>
void outputs_of(const FewRows& args, int64_t first, int64_t last) {
  if (args.in_by_out) return add_inputs<W>(args, first, last);
  dot_outputs<W>(args, first, last);
}

void outputs(const FewRows& args, int64_t first, int64_t last) {
  if (args.weight.dtype() == DType::kBF16) return outputs_of<BFloat16>(args, first, last);
  outputs_of<float>(args, first, last);
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(outputs);
constexpr int64_t kGrain = 64;
}  // namespace

void few_rows(const FewRows& args) {
  ensure(args.weight.dtype() == DType::kF32 || args.weight.dtype() == DType::kBF16,
         "a product of few rows with a weight of {}", dtype_name(args.weight.dtype()));
  parallel_ranges(
      args.out, args.in * args.rows,
      [&](int64_t first, int64_t last) {
        HWY_DYNAMIC_DISPATCH(outputs)
        (args, first, last);
      },
      kGrain);
}

}  // namespace inlay::kernels
#endif
