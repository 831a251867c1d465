// What layer normalisation and root-mean-square normalisation share: a row's statistics in two
// passes, then one pass that writes. kCentered subtracts the mean. Inside Highway kernels.

#if defined(INLAY_KERNELS_NORM_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_NORM_ROWS_INL_H_
#undef INLAY_KERNELS_NORM_ROWS_INL_H_
#else
#define INLAY_KERNELS_NORM_ROWS_INL_H_
#endif

#include <hwy/cache_control.h>

#include <cmath>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

// Asks for the cache line of element i, of the next row while this one is computed: the passes over
// a row are too long for the processor to look past them by itself. i may be past the end.
HWY_INLINE void fetch_soon(const Input& src, int64_t i) {
  hwy::Prefetch(src.as<std::byte>() + i * (src.dtype() == DType::kBF16 ? 2 : 4));
}

// Args has channels, epsilon, x, residual, y, y_copy, xhat and rstd. finish(xhat, c, n) gives y.
template <bool kCentered, class Args, class Finish>
HWY_INLINE void normalize_row(const Args& args, int64_t row, const Finish& finish) {
  const int64_t start = row * args.channels;
  const auto channels = static_cast<float>(args.channels);
  // The sum with the residual is kept in y, if it has the precision, until the last pass writes y.
  const bool keep = args.residual && args.y.dtype() == DType::kF32;
  const auto add = [&](int64_t c, std::size_t n) HWY_ATTR {
    const V32 x = load_any(args.x, start + c, n);
    return args.residual ? hn::Add(x, load_any(args.residual, start + c, n)) : x;
  };
  const auto add_and_keep = [&](int64_t c, std::size_t n) HWY_ATTR {
    const V32 sum = add(c, n);
    if (keep) store_some(sum, args.y.template as<float>() + start + c, n);
    return sum;
  };
  const auto s = [&](int64_t c, std::size_t n) HWY_ATTR {
    return keep ? load_some(args.y.template as<float>() + start + c, n) : add(c, n);
  };
  V32 sums[kParts];
  V32 mean = set(0.0f);
  if (kCentered) {
    fill_parts(sums, set(0.0f));
    fold(args.channels, sums, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
      sum = hn::Add(sum, add_and_keep(c, n));
    });
    mean = set(sum_parts(sums) / channels);
  }
  fill_parts(sums, set(0.0f));
  fold(args.channels, sums, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
    const V32 value = kCentered ? s(c, n) : add_and_keep(c, n);
    const V32 difference = first_or(hn::Sub(value, mean), n, set(0.0f));
    sum = hn::MulAdd(difference, difference, sum);
  });
  const float variance = sum_parts(sums) / channels;
  const float rstd = 1.0f / std::sqrt(variance + static_cast<float>(args.epsilon));
  if (args.rstd) args.rstd.template store<float>(row, rstd);
  for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
    fetch_soon(args.x, start + args.channels + c);
    if (args.residual) fetch_soon(args.residual, start + args.channels + c);
    const V32 xhat = hn::Mul(hn::Sub(s(c, n), mean), set(rstd));
    const V32 y = finish(xhat, c, n);
    if (args.xhat) store_any(xhat, args.xhat, start + c, n);
    store_any(y, args.y, start + c, n);
    if (args.y_copy) store_any(y, args.y_copy, start + c, n);
  });
}

// Args has channels, grad_y, xhat, rstd, grad_x and grad_x_copy.
template <bool kCentered, class Args>
HWY_INLINE void normalize_row_backward(const Args& args, const Input& weight, int64_t row) {
  struct Sums {
    V32 g;
    V32 gx;
  };
  const int64_t start = row * args.channels;
  const auto channels = static_cast<float>(args.channels);
  const auto g = [&](int64_t c, std::size_t n) HWY_ATTR {
    return hn::Mul(load_any(args.grad_y, start + c, n), load_any(weight, c, n));
  };
  V32 sums_g[kParts], sums_gx[kParts];
  Sums sums[kParts];
  fill_parts(sums, Sums{set(0.0f), set(0.0f)});
  fold(args.channels, sums, [&](Sums& sum, int64_t c, std::size_t n) HWY_ATTR {
    const V32 term = g(c, n);
    if (kCentered) sum.g = hn::Add(sum.g, term);
    sum.gx = hn::MulAdd(term, load_any(args.xhat, start + c, n), sum.gx);
  });
  for (std::size_t part = 0; part < kParts; ++part) {
    sums_g[part] = sums[part].g;
    sums_gx[part] = sums[part].gx;
  }
  const V32 mean_g = set(kCentered ? sum_parts(sums_g) / channels : 0.0f);
  const V32 mean_gx = set(sum_parts(sums_gx) / channels);
  const V32 rstd = set(args.rstd.template load<float>(row));
  for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
    const V32 centered = hn::Sub(g(c, n), mean_g);
    const V32 xhat = load_any(args.xhat, start + c, n);
    const V32 grad_x = hn::Mul(rstd, hn::NegMulAdd(xhat, mean_gx, centered));
    store_any(grad_x, args.grad_x, start + c, n);
    if (args.grad_x_copy) store_any(grad_x, args.grad_x_copy, start + c, n);
  });
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
