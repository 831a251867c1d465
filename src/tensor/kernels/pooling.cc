#include "tensor/kernels/pooling.h"

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/pooling_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/pooling.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/column_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void forward_rows(Pooling kind, const RaggedRows& ragged, const Input& src, const Output& dst,
                  int64_t first_row, int64_t last_row) {
  const int64_t channels = ragged.channels;
  for (int64_t b = first_row; b < last_row; ++b) {
    int64_t first = ragged.offsets[b], last = ragged.offsets[b + 1];
    if (kind == Pooling::kFirst && last > first) last = first + 1;
    if (kind == Pooling::kLast && last > first) first = last - 1;
    const V32 share = set(last > first ? 1.0f / static_cast<float>(last - first) : 0.0f);
    fold_columns(
        channels, first, last, set(0.0f),
        [&](V32& sum, int64_t t, int64_t c, std::size_t n)
            HWY_ATTR { sum = hn::Add(sum, load_any(src, t * channels + c, n)); },
        [&](const V32& sum, int64_t c, std::size_t n)
            HWY_ATTR { store_any(hn::Mul(sum, share), dst, b * channels + c, n); });
  }
}

void backward_rows(Pooling kind, const RaggedRows& ragged, const Input& grad_dst,
                   const Output& grad_src, int64_t first_row, int64_t last_row) {
  const int64_t channels = ragged.channels;
  for (int64_t b = first_row; b < last_row; ++b) {
    const int64_t first = ragged.offsets[b], last = ragged.offsets[b + 1];
    for (int64_t t = first; t < last; ++t) {
      float share = 1.0f / static_cast<float>(last - first);
      if (kind == Pooling::kFirst) share = t == first ? 1.0f : 0.0f;
      if (kind == Pooling::kLast) share = t == last - 1 ? 1.0f : 0.0f;
      for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
        store_any(hn::Mul(load_any(grad_dst, b * channels + c, n), set(share)), grad_src,
                  t * channels + c, n);
      });
    }
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

// The elements of one row, on average: what deciding about threads needs.
int64_t row_cost(const RaggedRows& ragged) {
  const int64_t tokens = ragged.rows > 0 ? ragged.offsets[ragged.rows] - ragged.offsets[0] : 0;
  return tokens / std::max<int64_t>(ragged.rows, 1) * ragged.channels;
}

}  // namespace

void pooling_forward(Pooling kind, const RaggedRows& ragged, Input src, Output dst) {
  if (runs_in_double({src, dst})) return pooling_forward_reference<double>(kind, ragged, src, dst);
  parallel_ranges(ragged.rows, row_cost(ragged), [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(kind, ragged, src, dst, first, last);
  });
}

void pooling_backward(Pooling kind, const RaggedRows& ragged, Input grad_dst, Output grad_src) {
  if (runs_in_double({grad_dst, grad_src})) {
    return pooling_backward_reference<double>(kind, ragged, grad_dst, grad_src);
  }
  parallel_ranges(ragged.rows, row_cost(ragged), [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(kind, ragged, grad_dst, grad_src, first, last);
  });
}

}  // namespace inlay::kernels
#endif
