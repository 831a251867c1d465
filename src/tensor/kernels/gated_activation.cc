#include "tensor/kernels/gated_activation.h"

#include "tensor/kernels/gated_activation_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/gated_activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/activation_functions-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void gated_forward_range(Activation kind, const Input& gate, const Input& up, const Output& dst,
                         int64_t first, int64_t last) {
  with_function(kind, [&](auto function) HWY_ATTR {
    for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
      const V32 open = function.value(load_any(gate, i, n));
      store_any(hn::Mul(open, load_any(up, i, n)), dst, i, n);
    });
  });
}

void gated_backward_range(Activation kind, const GatedActivationGrad& args, int64_t first,
                          int64_t last) {
  with_function(kind, [&](auto function) HWY_ATTR {
    for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
      const V32 x = load_any(args.gate, i, n), grad = load_any(args.grad_dst, i, n);
      const V32 through = hn::Mul(grad, load_any(args.up, i, n));
      if (args.grad_gate) store_any(hn::Mul(through, function.slope(x)), args.grad_gate, i, n);
      if (args.grad_up) store_any(hn::Mul(grad, function.value(x)), args.grad_up, i, n);
    });
  });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(gated_forward_range);
HWY_EXPORT(gated_backward_range);
}  // namespace

void gated_activation_forward(Activation kind, Input gate, Input up, Output dst, int64_t count) {
  if (runs_in_double({gate, up, dst}))
    return gated_activation_forward_reference<double>(kind, gate, up, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(gated_forward_range)(kind, gate, up, dst, first, last);
  });
}

void gated_activation_backward(Activation kind, const GatedActivationGrad& args, int64_t count) {
  if (runs_in_double({args.gate, args.up, args.grad_dst, args.grad_gate, args.grad_up}))
    return gated_activation_backward_reference<double>(kind, args, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(gated_backward_range)(kind, args, first, last);
  });
}

}  // namespace inlay::kernels
#endif
