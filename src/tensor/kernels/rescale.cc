#include "tensor/kernels/rescale.h"

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/rescale_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/rescale.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/column_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE V32 centre_at(const Input& centre, int64_t c, std::size_t n) {
  return centre ? load_any(centre, c, n) : set(0.0f);
}

void rescale_rows(const Input& src, const Input& centre, const Input& gain, const Output& dst,
                  int64_t first, int64_t last, int64_t columns) {
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, columns, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * columns + c;
      const V32 x = load_any(src, i, n);
      const V32 from_centre = hn::Sub(x, centre_at(centre, c, n));
      store_any(hn::MulAdd(load_any(gain, c, n), from_centre, x), dst, i, n);
    });
  }
}

void gain_grad(const RescaleGrad& args, const Output& dst) {
  fold_columns(
      args.columns, args.first, args.last, set(0.0f),
      [&](V32& sum, int64_t t, int64_t c, std::size_t n) HWY_ATTR {
        const int64_t i = t * args.columns + c;
        const V32 from_centre = hn::Sub(load_any(args.src, i, n), centre_at(args.centre, c, n));
        sum = hn::MulAdd(load_any(args.grad, i, n), from_centre, sum);
      },
      [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_any(sum, dst, c, n); });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(rescale_rows);
HWY_EXPORT(gain_grad);
}  // namespace

void rescale(Input src, Input centre, Input gain, Output dst, int64_t rows, int64_t columns) {
  if (runs_in_double({src, centre, gain, dst}))
    return rescale_reference<double>(src, centre, gain, dst, rows, columns);
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(rescale_rows)(src, centre, gain, dst, first, last, columns);
  });
}

void rescale_gain_grad(const RescaleGrad& args, Output dst) {
  if (runs_in_double({args.grad, args.src, args.centre, dst}))
    return rescale_gain_grad_reference<double>(args, dst);
  HWY_DYNAMIC_DISPATCH(gain_grad)(args, dst);
}

}  // namespace inlay::kernels
#endif
