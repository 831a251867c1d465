#include "tensor/kernels/sparse_product.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/sparse_product_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/sparse_product.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// dst (channels, rows) = rows [first, first + rows) of src.
void turn(const Input& src, int64_t first, std::size_t rows, int64_t channels, const Panel& dst) {
  write_transposed(
      rows, static_cast<std::size_t>(channels), dst, [&](std::size_t row, std::size_t c) HWY_ATTR {
        auto at = static_cast<int64_t>(c);
        return load_any(
            src, (first + static_cast<int64_t>(row)) * channels + at,
            static_cast<std::size_t>(std::min(static_cast<int64_t>(kWidth), channels - at)));
      });
}

// One vector of rows at a time: their channels stand side by side in `x`, and what they give in
// `y`.
void run_product(const SparseProduct& args, const Panel& x, const Panel& y, int64_t first,
                 int64_t last, const Output& dst) {
  const SparseOrder& order = args.order;
  const auto* values = args.values.as<float>();
  for (int64_t row = first; row < last; row += static_cast<int64_t>(kWidth)) {
    const int64_t count = std::min(static_cast<int64_t>(kWidth), last - row);
    turn(args.x, row, static_cast<std::size_t>(count), args.in, x);
    for (int64_t j = 0; j < args.out; j += 4) {
      V32 sums[4];
      for (int64_t i = 0; i < 4; ++i) {
        sums[i] = set(0.0f);
        if (j + i == args.out) break;
        for (int32_t k = order.starts[j + i]; k < order.starts[j + i + 1]; ++k) {
          const float* channel = x.row(static_cast<std::size_t>(order.channels[k]));
          sums[i] = hn::MulAdd(set(values[order.elements[k]]), hn::LoadU(F32(), channel), sums[i]);
        }
      }
      store_columns(F32(), sums[0], sums[1], sums[2], sums[3], y.data + j, y.stride);
    }
    for (int64_t t = 0; t < count; ++t) {
      for_vectors(0, args.out, [&](int64_t c, std::size_t n) HWY_ATTR {
        store_any(load_some(y.row(static_cast<std::size_t>(t)) + c, n), dst,
                  (row + t) * args.out + c, n);
      });
    }
  }
}

void run_grad(const SparseGrad& args, const Panel& x, const Panel& grad, const Output& dst) {
  const auto count = static_cast<std::size_t>(args.last - args.first);
  turn(args.x, args.first, count, args.in, x);
  turn(args.grad, args.first, count, args.out, grad);
  auto* sums = dst.as<float>();
  for (int64_t j = 0; j < args.out; ++j) {
    const float* seed = grad.row(static_cast<std::size_t>(j));
    for (int32_t k = args.order.starts[j]; k < args.order.starts[j + 1]; ++k) {
      const float* channel = x.row(static_cast<std::size_t>(args.order.channels[k]));
      V32 parts[kParts];
      fill_parts(parts, set(0.0f));
      fold(args.last - args.first, parts, [&](V32& sum, int64_t t, std::size_t n) HWY_ATTR {
        sum = hn::MulAdd(load_some(seed + t, n), load_some(channel + t, n), sum);
      });
      sums[args.order.elements[k]] = sum_parts(parts);
    }
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(run_product);
HWY_EXPORT(run_grad);

// The rows whose channels stand side by side; no vector is longer.
constexpr int64_t kRows = 16;

// Channels as rows of a panel are written in whole vectors of channels.
Panel channels_panel(ScratchLayout& layout, int64_t channels, int64_t rows) {
  return layout.panel(static_cast<std::size_t>(channels + kRows), static_cast<std::size_t>(rows));
}

struct ProductPanels {
  ProductPanels(ScratchLayout& layout, int64_t in, int64_t out)
      : x(channels_panel(layout, in, kRows)),
        y(layout.panel(kRows, static_cast<std::size_t>(out + 4))) {}
  Panel x, y;
};

struct GradPanels {
  GradPanels(ScratchLayout& layout, int64_t in, int64_t out, int64_t rows)
      : x(channels_panel(layout, in, rows)), grad(channels_panel(layout, out, rows)) {}
  Panel x, grad;
};

void check_scratch(std::span<float> scratch, std::size_t needed) {
  ensure(scratch.size() >= needed, "{} numbers of scratch where {} are needed", scratch.size(),
         needed);
}
}  // namespace

std::size_t sparse_product_scratch(int64_t in, int64_t out) {
  ScratchLayout layout;
  ProductPanels(layout, in, out);
  return layout.floats() * static_cast<std::size_t>(omp_get_max_threads());
}

std::size_t sparse_grad_scratch(int64_t in, int64_t out, int64_t rows) {
  ScratchLayout layout;
  GradPanels(layout, in, out, rows);
  return layout.floats();
}

void sparse_product(const SparseProduct& args, std::span<float> scratch, Output dst) {
  if (runs_in_double({args.x, args.values, dst}))
    return sparse_product_reference<double>(args, dst);
  check_scratch(scratch, sparse_product_scratch(args.in, args.out));
  const std::size_t each = scratch.size() / static_cast<std::size_t>(omp_get_max_threads());
  parallel_ranges(
      args.rows, args.in,
      [&](int64_t first, int64_t last) {
        ScratchLayout layout(scratch.data() +
                             static_cast<std::size_t>(omp_get_thread_num()) * each);
        ProductPanels panels(layout, args.in, args.out);
        HWY_DYNAMIC_DISPATCH(run_product)(args, panels.x, panels.y, first, last, dst);
      },
      kRows);
}

void sparse_grad(const SparseGrad& args, std::span<float> scratch, Output dst) {
  if (runs_in_double({args.x, args.grad, dst})) return sparse_grad_reference<double>(args, dst);
  const int64_t rows = args.last - args.first;
  check_scratch(scratch, sparse_grad_scratch(args.in, args.out, rows));
  ScratchLayout layout(scratch.data());
  GradPanels panels(layout, args.in, args.out, rows);
  HWY_DYNAMIC_DISPATCH(run_grad)(args, panels.x, panels.grad, dst);
}

}  // namespace inlay::kernels
#endif
