#include "tensor/kernels/low_rank.h"

#include <omp.h>

#include <algorithm>

#include "base/error.h"
#include "tensor/kernels/low_rank_reference.h"
#include "tensor/kernels/panel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/low_rank.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/low_rank-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

void project_rows(const LowRankProject& args, Panel factor, int64_t first, int64_t last) {
  if (args.dtype == DType::kBF16) return project_rows_of<BFloat16>(args, factor, first, last);
  project_rows_of<float>(args, factor, first, last);
}

void expand_add_rows(const LowRankExpandAdd& args, Panel factor, int64_t first, int64_t last) {
  if (args.dtype == DType::kBF16) return expand_add_rows_of<BFloat16>(args, factor, first, last);
  expand_add_rows_of<float>(args, factor, first, last);
}

void weight_grad(const LowRankWeightGrad& args) {
  if (args.dtype == DType::kBF16) return weight_grad_of<BFloat16>(args);
  weight_grad_of<float>(args);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace inlay::kernels {

HWY_EXPORT(pack_factor);
HWY_EXPORT(project_rows);
HWY_EXPORT(expand_add_rows);
HWY_EXPORT(weight_grad);

namespace {

constexpr std::size_t kAlignment = 64;
constexpr int64_t kRowsPerItem = 32;

template <class Args>
void check(const Args& args) {
  ensure(args.dtype == DType::kF32 || args.dtype == DType::kBF16, "a low-rank product over {}",
         dtype_name(args.dtype));
  ensure(args.rank > 0 && args.channels > 0, "a factor of rank {} and {} channels", args.rank,
         args.channels);
}

template <class Args>
Panel packed(const Args& args, std::span<std::byte> scratch) {
  ensure(scratch.size() >= low_rank_scratch_bytes(args.channels, args.rank),
         "{} bytes of scratch where a factor of rank {} needs {}", scratch.size(), args.rank,
         low_rank_scratch_bytes(args.channels, args.rank));
  const std::size_t skip =
      (kAlignment - reinterpret_cast<uintptr_t>(scratch.data()) % kAlignment) % kAlignment;
  ScratchLayout layout(reinterpret_cast<float*>(scratch.data() + skip));
  Panel panel =
      layout.panel(static_cast<std::size_t>(args.rank), static_cast<std::size_t>(args.channels));
  HWY_DYNAMIC_DISPATCH(pack_factor)
  (static_cast<const float*>(args.factor), args.layout, static_cast<std::size_t>(args.rank),
   static_cast<std::size_t>(args.channels), panel);
  return panel;
}

// run(first, last) over blocks of rows in parallel; no more threads than blocks.
template <class Run>
void for_row_blocks(int64_t rows, const Run& run) {
  const int64_t items = (rows + kRowsPerItem - 1) / kRowsPerItem;
  const auto threads = static_cast<int>(std::clamp<int64_t>(items, 1, omp_get_max_threads()));
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t item = 0; item < items; ++item) {
    run(item * kRowsPerItem, std::min(rows, (item + 1) * kRowsPerItem));
  }
}

}  // namespace

std::size_t low_rank_scratch_bytes(int64_t channels, int64_t rank) {
  ScratchLayout layout;
  layout.panel(static_cast<std::size_t>(rank), static_cast<std::size_t>(channels));
  return layout.floats() * sizeof(float) + kAlignment;
}

void low_rank_project(const LowRankProject& args, std::span<std::byte> scratch) {
  if (args.dtype == DType::kF64) return low_rank_reference_project<double>(args);
  check(args);
  const Panel factor = packed(args, scratch);
  for_row_blocks(args.rows, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(project_rows)(args, factor, first, last);
  });
}

void low_rank_expand_add(const LowRankExpandAdd& args, std::span<std::byte> scratch) {
  if (args.dtype == DType::kF64) return low_rank_reference_expand_add<double>(args);
  check(args);
  const Panel factor = packed(args, scratch);
  for_row_blocks(args.rows, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(expand_add_rows)(args, factor, first, last);
  });
}

void low_rank_weight_grad(const LowRankWeightGrad& args) {
  if (args.dtype == DType::kF64) return low_rank_reference_weight_grad<double>(args);
  check(args);
  HWY_DYNAMIC_DISPATCH(weight_grad)(args);
}

}  // namespace inlay::kernels

#endif  // HWY_ONCE
