#include "tensor/kernels/layer_norm.h"

#include "tensor/kernels/layer_norm_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/layer_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/column_fold-inl.h"
#include "tensor/kernels/norm_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void forward_rows(const LayerNormForward& args, int64_t first, int64_t last) {
  for (int64_t t = first; t < last; ++t) {
    normalize_row<true>(args, t, [&](V32 xhat, int64_t c, std::size_t n) HWY_ATTR {
      return hn::MulAdd(xhat, load_any(args.gamma, c, n), load_any(args.beta, c, n));
    });
  }
}

void backward_rows(const LayerNormBackward& args, int64_t first, int64_t last) {
  for (int64_t t = first; t < last; ++t) normalize_row_backward<true>(args, args.gamma, t);
}

void param_grad(const LayerNormParamGrad& args) {
  struct Sums {
    V32 gamma;
    V32 beta;
  };
  fold_columns(
      args.channels, args.first, args.last, Sums{set(0.0f), set(0.0f)},
      [&](Sums& sums, int64_t t, int64_t c, std::size_t n) HWY_ATTR {
        const V32 grad_y = load_any(args.grad_y, t * args.channels + c, n);
        const V32 xhat = load_any(args.xhat, t * args.channels + c, n);
        sums.gamma = hn::MulAdd(grad_y, xhat, sums.gamma);
        sums.beta = hn::Add(sums.beta, grad_y);
      },
      [&](const Sums& sums, int64_t c, std::size_t n) HWY_ATTR {
        store_any(sums.gamma, args.grad_gamma, c, n);
        if (args.grad_beta) store_any(sums.beta, args.grad_beta, c, n);
      });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(forward_rows);
HWY_EXPORT(backward_rows);
HWY_EXPORT(param_grad);
}  // namespace

void layer_norm_forward(const LayerNormForward& args) {
  if (runs_in_double({args.x, args.residual, args.gamma, args.beta, args.y, args.y_copy, args.xhat,
                      args.rstd})) {
    return layer_norm_forward_reference<double>(args);
  }
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(args, first, last);
  });
}

void layer_norm_backward(const LayerNormBackward& args) {
  if (runs_in_double(
          {args.grad_y, args.xhat, args.rstd, args.gamma, args.grad_x, args.grad_x_copy})) {
    return layer_norm_backward_reference<double>(args);
  }
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(args, first, last);
  });
}

void layer_norm_param_grad(const LayerNormParamGrad& args) {
  if (runs_in_double({args.grad_y, args.xhat, args.grad_gamma, args.grad_beta})) {
    return layer_norm_param_grad_reference<double>(args);
  }
  HWY_DYNAMIC_DISPATCH(param_grad)(args);
}

}  // namespace inlay::kernels
#endif
