#include "tensor/kernels/optimizer.h"

#include <cmath>

#include "tensor/kernels/optimizer_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/optimizer.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// By repeated squaring: a libm's pow may differ from another's.
double integer_power(double base, int64_t exponent) {
  double power = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) power *= base;
  }
  return power;
}

void adamw_range(const AdamW& adamw, const AdamWBuffers& buffers, int64_t first, int64_t last) {
  const auto constant = [](double value) HWY_ATTR { return set(static_cast<float>(value)); };
  const double correction1 = 1 - integer_power(adamw.beta1, adamw.step);
  const double correction2 = 1 - integer_power(adamw.beta2, adamw.step);
  const V32 decay = constant(1 - adamw.learning_rate * adamw.weight_decay);
  const V32 rate = constant(adamw.learning_rate / correction1);
  const V32 root = constant(1 / std::sqrt(correction2)), epsilon = constant(adamw.epsilon);
  const V32 beta1 = constant(adamw.beta1), rest1 = constant(1 - adamw.beta1);
  const V32 beta2 = constant(adamw.beta2), rest2 = constant(1 - adamw.beta2);
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 g = load_any(buffers.grad, i, n);
    const V32 m = hn::MulAdd(beta1, load_any(buffers.m, i, n), hn::Mul(rest1, g));
    const V32 v = hn::MulAdd(beta2, load_any(buffers.v, i, n), hn::Mul(rest2, hn::Mul(g, g)));
    const V32 denominator = hn::MulAdd(hn::Sqrt(v), root, epsilon);
    const V32 decayed = hn::Mul(load_any(buffers.param, i, n), decay);
    store_any(m, buffers.m, i, n);
    store_any(v, buffers.v, i, n);
    store_any(hn::NegMulAdd(rate, hn::Div(m, denominator), decayed), buffers.param, i, n);
  });
}

void sgd_range(const Sgd& sgd, const SgdBuffers& buffers, int64_t first, int64_t last) {
  const V32 rate = set(static_cast<float>(sgd.learning_rate));
  const V32 momentum = set(static_cast<float>(sgd.momentum));
  const V32 decay = set(static_cast<float>(sgd.weight_decay));
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 p = load_any(buffers.param, i, n);
    V32 step = hn::MulAdd(decay, p, load_any(buffers.grad, i, n));
    if (buffers.velocity) {
      step = hn::MulAdd(momentum, load_any(buffers.velocity, i, n), step);
      store_any(step, buffers.velocity, i, n);
    }
    store_any(hn::NegMulAdd(rate, step, p), buffers.param, i, n);
  });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(adamw_range);
HWY_EXPORT(sgd_range);
}  // namespace

void adamw_update(const AdamW& adamw, const AdamWBuffers& buffers) {
  if (runs_in_double({buffers.grad, buffers.param, buffers.m, buffers.v})) {
    return adamw_update_reference<double>(adamw, buffers);
  }
  parallel_elements(buffers.count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(adamw_range)(adamw, buffers, first, last);
  });
}

void sgd_update(const Sgd& sgd, const SgdBuffers& buffers) {
  if (runs_in_double({buffers.grad, buffers.param, buffers.velocity})) {
    return sgd_update_reference<double>(sgd, buffers);
  }
  parallel_elements(buffers.count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(sgd_range)(sgd, buffers, first, last);
  });
}

}  // namespace inlay::kernels
#endif
