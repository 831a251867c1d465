#include "tensor/kernels/binary_losses.h"

#include "tensor/kernels/binary_losses_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/binary_losses.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void bce_forward_rows(const Input& src, const Input& targets, const Output& loss, int64_t first,
                      int64_t last, int64_t columns) {
  const V32 zero = set(0.0f);
  for (int64_t r = first; r < last; ++r) {
    V32 parts[kParts];
    fill_parts(parts, zero);
    fold(columns, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
      const V32 x = load_any(src, r * columns + c, n);
      const V32 small = log1p_f32(F32(), exp_f32(F32(), hn::Neg(hn::Abs(x))));
      const V32 linear = hn::NegMulAdd(x, load_any(targets, r * columns + c, n), hn::Max(x, zero));
      sum = hn::Add(sum, first_or(hn::Add(linear, small), n, zero));
    });
    loss.store(r, sum_parts(parts));
  }
}

void bce_backward_range(const Input& src, const Input& targets, float scale, const Output& grad_src,
                        int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 p = sigmoid_f32(F32(), load_any(src, i, n));
    store_any(hn::Mul(set(scale), hn::Sub(p, load_any(targets, i, n))), grad_src, i, n);
  });
}

void square_forward_rows(const Input& src, const Input& targets, const Output& loss, int64_t first,
                         int64_t last, int64_t columns) {
  for (int64_t r = first; r < last; ++r) {
    V32 parts[kParts];
    fill_parts(parts, set(0.0f));
    fold(columns, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * columns + c;
      const V32 error = hn::Sub(load_any(src, i, n), load_any(targets, i, n));
      sum = hn::MulAdd(error, error, sum);
    });
    loss.store(r, sum_parts(parts));
  }
}

void square_backward_range(const Input& src, const Input& targets, float factor,
                           const Output& grad_src, int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 error = hn::Sub(load_any(src, i, n), load_any(targets, i, n));
    store_any(hn::Mul(set(factor), error), grad_src, i, n);
  });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(bce_forward_rows);
HWY_EXPORT(bce_backward_range);
HWY_EXPORT(square_forward_rows);
HWY_EXPORT(square_backward_range);
}  // namespace

void bce_with_logits_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss) {
  if (runs_in_double({src, targets, loss})) {
    return bce_with_logits_forward_reference<double>(src, targets, rows, columns, loss);
  }
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(bce_forward_rows)(src, targets, loss, first, last, columns);
  });
}

void bce_with_logits_backward(Input src, Input targets, double scale, Output grad_src,
                              int64_t count) {
  if (runs_in_double({src, targets, grad_src})) {
    return bce_with_logits_backward_reference<double>(src, targets, scale, grad_src, count);
  }
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(bce_backward_range)
    (src, targets, static_cast<float>(scale), grad_src, first, last);
  });
}

void squared_error_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss) {
  if (runs_in_double({src, targets, loss})) {
    return squared_error_forward_reference<double>(src, targets, rows, columns, loss);
  }
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(square_forward_rows)(src, targets, loss, first, last, columns);
  });
}

void squared_error_backward(Input src, Input targets, double scale, Output grad_src,
                            int64_t count) {
  if (runs_in_double({src, targets, grad_src})) {
    return squared_error_backward_reference<double>(src, targets, scale, grad_src, count);
  }
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(square_backward_range)
    (src, targets, static_cast<float>(2 * scale), grad_src, first, last);
  });
}

}  // namespace inlay::kernels
#endif
