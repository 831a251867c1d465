#include "tensor/kernels/column_sum.h"

#include "tensor/kernels/column_sum_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/column_sum.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/column_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void sum_columns(const Input& src, int64_t columns, int64_t first, int64_t last,
                 const Output& dst) {
  fold_columns(
      columns, first, last, set(0.0f),
      [&](V32& sum, int64_t t, int64_t c, std::size_t n)
          HWY_ATTR { sum = hn::Add(sum, load_any(src, t * columns + c, n)); },
      [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_any(sum, dst, c, n); });
}

void dot_columns(const Input& a, const Input& b, int64_t columns, int64_t first, int64_t last,
                 const Output& dst) {
  fold_columns(
      columns, first, last, set(0.0f),
      [&](V32& sum, int64_t t, int64_t c, std::size_t n) HWY_ATTR {
        const int64_t i = t * columns + c;
        sum = hn::MulAdd(load_any(a, i, n), load_any(b, i, n), sum);
      },
      [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_any(sum, dst, c, n); });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(sum_columns);
HWY_EXPORT(dot_columns);
}  // namespace

void column_sum(Input src, int64_t columns, int64_t first, int64_t last, Output dst) {
  if (runs_in_double({src, dst}))
    return column_sum_reference<double>(src, columns, first, last, dst);
  HWY_DYNAMIC_DISPATCH(sum_columns)(src, columns, first, last, dst);
}

void column_dot(Input a, Input b, int64_t columns, int64_t first, int64_t last, Output dst) {
  if (runs_in_double({a, b, dst}))
    return column_dot_reference<double>(a, b, columns, first, last, dst);
  HWY_DYNAMIC_DISPATCH(dot_columns)(a, b, columns, first, last, dst);
}

}  // namespace inlay::kernels
#endif
