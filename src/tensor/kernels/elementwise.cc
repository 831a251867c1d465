#include "tensor/kernels/elementwise.h"

#include "tensor/kernels/elementwise_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/elementwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void add_range(const Input& a, const Input& b, const Output& dst, int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(hn::Add(load_any(a, i, n), load_any(b, i, n)), dst, i, n);
  });
}

void multiply_range(const Input& a, const Input& b, const Output& dst, int64_t first,
                    int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(hn::Mul(load_any(a, i, n), load_any(b, i, n)), dst, i, n);
  });
}

void scale_range(const Input& src, float factor, const Output& dst, int64_t first, int64_t last) {
  const V32 f = set(factor);
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(hn::Mul(f, load_any(src, i, n)), dst, i, n);
  });
}

void axpy_range(float factor, const Input& src, const Output& dst, int64_t first, int64_t last) {
  const V32 f = set(factor);
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(hn::MulAdd(f, load_any(src, i, n), load_any(dst, i, n)), dst, i, n);
  });
}

void lerp_range(const Input& base, const Input& adapted, float gate, const Output& dst,
                int64_t first, int64_t last) {
  const V32 g = set(gate);
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 b = load_any(base, i, n);
    store_any(hn::MulAdd(g, hn::Sub(load_any(adapted, i, n), b), b), dst, i, n);
  });
}

void copy_range(const Input& src, const Output& dst, int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(load_any(src, i, n), dst, i, n);
  });
}

void add_bias_rows(const Input& src, const Input& bias, const Output& dst, int64_t first,
                   int64_t last, int64_t columns) {
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, columns, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * columns + c;
      store_any(hn::Add(load_any(src, i, n), load_any(bias, c, n)), dst, i, n);
    });
  }
}

void scale_columns_rows(const Input& src, const Input& factors, const Output& dst, int64_t first,
                        int64_t last, int64_t columns) {
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, columns, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * columns + c;
      store_any(hn::Mul(load_any(src, i, n), load_any(factors, c, n)), dst, i, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(add_range);
HWY_EXPORT(multiply_range);
HWY_EXPORT(scale_range);
HWY_EXPORT(axpy_range);
HWY_EXPORT(lerp_range);
HWY_EXPORT(copy_range);
HWY_EXPORT(add_bias_rows);
HWY_EXPORT(scale_columns_rows);
}  // namespace

void add(Input a, Input b, Output dst, int64_t count) {
  if (runs_in_double({a, b, dst})) return add_reference<double>(a, b, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(add_range)(a, b, dst, first, last);
  });
}

void multiply(Input a, Input b, Output dst, int64_t count) {
  if (runs_in_double({a, b, dst})) return multiply_reference<double>(a, b, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(multiply_range)(a, b, dst, first, last);
  });
}

void scale(Input src, double factor, Output dst, int64_t count) {
  if (runs_in_double({src, dst})) return scale_reference<double>(src, factor, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(scale_range)(src, static_cast<float>(factor), dst, first, last);
  });
}

void add_in_place(Output dst, Input src, int64_t count) { add(dst, src, dst, count); }

void axpy(double factor, Input src, Output dst, int64_t count) {
  if (runs_in_double({src, dst})) return axpy_reference<double>(factor, src, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(axpy_range)(static_cast<float>(factor), src, dst, first, last);
  });
}

void lerp(Input base, Input adapted, double gate, Output dst, int64_t count) {
  if (runs_in_double({base, adapted, dst}))
    return lerp_reference<double>(base, adapted, gate, dst, count);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    if (gate == 0.0 || gate == 1.0) {
      HWY_DYNAMIC_DISPATCH(copy_range)(gate == 0.0 ? base : adapted, dst, first, last);
    } else {
      HWY_DYNAMIC_DISPATCH(lerp_range)(base, adapted, static_cast<float>(gate), dst, first, last);
    }
  });
}

void add_bias(Input src, Input bias, Output dst, int64_t rows, int64_t columns) {
  if (runs_in_double({src, bias, dst}))
    return add_bias_reference<double>(src, bias, dst, rows, columns);
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(add_bias_rows)(src, bias, dst, first, last, columns);
  });
}

void scale_columns(Input src, Input factors, Output dst, int64_t rows, int64_t columns) {
  if (runs_in_double({src, factors, dst}))
    return scale_columns_reference<double>(src, factors, dst, rows, columns);
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(scale_columns_rows)(src, factors, dst, first, last, columns);
  });
}

}  // namespace inlay::kernels
#endif
