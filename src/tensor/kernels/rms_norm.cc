#include "tensor/kernels/rms_norm.h"

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/rms_norm_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/rms_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/norm_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void forward_rows(const RmsNormForward& args, int64_t first, int64_t last) {
  for (int64_t t = first; t < last; ++t) {
    normalize_row<false>(args, t, [&](V32 xhat, int64_t c, std::size_t n) HWY_ATTR {
      return hn::Mul(xhat, load_any(args.weight, c, n));
    });
  }
}

void backward_rows(const RmsNormBackward& args, int64_t first, int64_t last) {
  for (int64_t t = first; t < last; ++t) normalize_row_backward<false>(args, args.weight, t);
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(forward_rows);
HWY_EXPORT(backward_rows);
}  // namespace

void rms_norm_forward(const RmsNormForward& args) {
  if (runs_in_double(
          {args.x, args.residual, args.weight, args.y, args.y_copy, args.xhat, args.rstd})) {
    return rms_norm_forward_reference<double>(args);
  }
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(args, first, last);
  });
}

void rms_norm_backward(const RmsNormBackward& args) {
  if (runs_in_double(
          {args.grad_y, args.xhat, args.rstd, args.weight, args.grad_x, args.grad_x_copy})) {
    return rms_norm_backward_reference<double>(args);
  }
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(args, first, last);
  });
}

}  // namespace inlay::kernels
#endif
