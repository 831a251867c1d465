#include "tensor/kernels/softmax.h"

#include <limits>

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/softmax_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void forward_row(const Input& src, const Output& dst, int64_t start, int64_t columns) {
  const V32 lowest = set(-std::numeric_limits<float>::infinity());
  V32 parts[kParts];
  fill_parts(parts, lowest);
  const auto x = [&](int64_t c, std::size_t n)
                     HWY_ATTR { return first_or(load_any(src, start + c, n), n, lowest); };
  fold(columns, parts, [&](V32& largest, int64_t c, std::size_t n) HWY_ATTR {
    largest = hn::Max(largest, x(c, n));
  });
  float largest = max_parts(parts);
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;
  const V32 shift = set(largest);
  // A result in f32 holds the exponentials until their sum is known; bf16 would round them, so
  // there they are computed again.
  const bool keep = dst.dtype() == DType::kF32;
  fill_parts(parts, set(0.0f));
  fold(columns, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
    const V32 e = exp_f32(F32(), hn::Sub(x(c, n), shift));
    if (keep) store_some(e, dst.as<float>() + start + c, n);
    sum = hn::Add(sum, e);
  });
  const float sum = sum_parts(parts);
  const V32 inverse = set(sum == 0 ? 0.0f : 1.0f / sum);
  for_vectors(0, columns, [&](int64_t c, std::size_t n) HWY_ATTR {
    const V32 e =
        keep ? load_some(dst.as<float>() + start + c, n) : exp_f32(F32(), hn::Sub(x(c, n), shift));
    store_any(hn::Mul(e, inverse), dst, start + c, n);
  });
}

void forward_rows(const Input& src, const Output& dst, int64_t first, int64_t last,
                  int64_t columns) {
  for (int64_t r = first; r < last; ++r) forward_row(src, dst, r * columns, columns);
}

void backward_rows(const Input& dst, const Input& grad_dst, const Output& grad_src, int64_t first,
                   int64_t last, int64_t columns) {
  for (int64_t r = first; r < last; ++r) {
    const int64_t start = r * columns;
    V32 parts[kParts];
    fill_parts(parts, set(0.0f));
    fold(columns, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
      sum = hn::MulAdd(load_any(dst, start + c, n), load_any(grad_dst, start + c, n), sum);
    });
    const V32 dot = set(sum_parts(parts));
    for_vectors(0, columns, [&](int64_t c, std::size_t n) HWY_ATTR {
      const V32 difference = hn::Sub(load_any(grad_dst, start + c, n), dot);
      store_any(hn::Mul(load_any(dst, start + c, n), difference), grad_src, start + c, n);
    });
  }
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

void softmax_forward(Input src, Output dst, int64_t rows, int64_t columns) {
  if (runs_in_double({src, dst})) return softmax_forward_reference<double>(src, dst, rows, columns);
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(src, dst, first, last, columns);
  });
}

void softmax_backward(Input dst, Input grad_dst, Output grad_src, int64_t rows, int64_t columns) {
  if (runs_in_double({dst, grad_dst, grad_src})) {
    return softmax_backward_reference<double>(dst, grad_dst, grad_src, rows, columns);
  }
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(dst, grad_dst, grad_src, first, last, columns);
  });
}

}  // namespace inlay::kernels
#endif
