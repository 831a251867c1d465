#include "tensor/kernels/attention.h"

#include <omp.h>

#include <algorithm>

#include "base/error.h"
#include "tensor/kernels/attention_head.h"
#include "tensor/kernels/attention_reference.h"
#include "tensor/kernels/attention_scratch.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/attention_f32-inl.h"
#include "tensor/kernels/attention_pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

void forward_item(const AttentionArgs& args, AttentionItem item, float* scratch) {
#if HWY_TARGET == HWY_AVX3
  if (args.dtype == DType::kBF16 && has_pair_products())
    return forward_sequence_of_pairs(args, item, scratch);
#endif
  if (args.dtype == DType::kBF16) return forward_sequence<BFloat16>(args, item, scratch);
  forward_sequence<float>(args, item, scratch);
}

void backward_item(const AttentionGradArgs& args, AttentionItem item, float* scratch) {
#if HWY_TARGET == HWY_AVX3
  if (args.forward.dtype == DType::kBF16 && has_pair_products()) {
    return backward_sequence_of_pairs(args, item, scratch);
  }
#endif
  if (args.forward.dtype == DType::kBF16) return backward_sequence<BFloat16>(args, item, scratch);
  backward_sequence<float>(args, item, scratch);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace inlay::kernels {

HWY_EXPORT(forward_item);
HWY_EXPORT(backward_item);

namespace {

constexpr std::size_t kAlignment = 64;

std::size_t sequence_count(const AttentionArgs& args) {
  return args.query_offsets.empty() ? 0 : args.query_offsets.size() - 1;
}

template <class Panels, class PairPanels>
std::size_t slice_bytes(const AttentionArgs& args) {
  std::size_t floats = 0;
  for (std::size_t b = 0; b < sequence_count(args); ++b) {
    const SequenceShape shape = AttentionHead<float>(args, b, 0).shape;
    ScratchLayout layout, pair_layout;
    Panels(layout, shape);
    PairPanels(pair_layout, shape);
    floats =
        std::max({floats, layout.floats(), args.dtype == DType::kBF16 ? pair_layout.floats() : 0});
  }
  return floats * sizeof(float);
}

template <class Panels, class PairPanels>
std::size_t scratch_bytes(const AttentionArgs& args) {
  if (args.dtype == DType::kF64) return kAlignment;
  return slice_bytes<Panels, PairPanels>(args) * static_cast<std::size_t>(omp_get_max_threads()) +
         kAlignment;
}

void check(const AttentionArgs& args) {
  ensure(args.kv_heads > 0 && args.heads % args.kv_heads == 0, "{} query heads for {} key heads",
         args.heads, args.kv_heads);
  ensure(args.head_dim > 0, "heads of {} elements", args.head_dim);
  ensure(args.query_offsets.size() == args.key_offsets.size(),
         "{} query offsets for {} key offsets", args.query_offsets.size(), args.key_offsets.size());
  ensure(args.dtype == DType::kF32 || args.dtype == DType::kBF16, "attention over {}",
         dtype_name(args.dtype));
}

// Calls run(item, scratch) for every (sequence, key head) of part `part` of `parts`, sequence after
// sequence. Parts are runs of items with heads changing slowest: every part then has its share of
// long and short sequences; and within a part neighbouring heads, which share pages of memory,
// follow each other.
template <class Run>
void for_each_item_of(const AttentionArgs& args, int64_t part, int64_t parts, float* scratch,
                      const Run& run) {
  const auto sequences = static_cast<int64_t>(sequence_count(args));
  const int64_t count = args.kv_heads * sequences;
  const int64_t first = count * part / parts, last = count * (part + 1) / parts;
  for (int64_t b = 0; b < sequences; ++b) {
    for (int64_t head = first / sequences; head * sequences + b < last; ++head) {
      if (head * sequences + b >= first)
        run(AttentionItem{static_cast<std::size_t>(b), head}, scratch);
    }
  }
}

// All items in parallel; when heads are `whole`, the sequences of a head come one after another.
template <class Run>
void for_each_item(const AttentionArgs& args, std::span<std::byte> scratch, std::size_t slice,
                   bool whole, const Run& run) {
  const std::size_t skip =
      (kAlignment - reinterpret_cast<uintptr_t>(scratch.data()) % kAlignment) % kAlignment;
  ensure(scratch.size() >= slice + skip, "{} bytes of scratch where attention needs {}",
         scratch.size(), slice + skip);
  const std::size_t slices = slice == 0 ? 1 : (scratch.size() - skip) / slice;
  const int threads =
      static_cast<int>(std::min(slices, static_cast<std::size_t>(omp_get_max_threads())));
  const int64_t parts = whole ? args.kv_heads : threads;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t part = 0; part < parts; ++part) {
    std::byte* mine =
        scratch.data() + skip + static_cast<std::size_t>(omp_get_thread_num()) * slice;
    for_each_item_of(args, part, parts, reinterpret_cast<float*>(mine), run);
  }
}

}  // namespace

std::size_t attention_scratch_bytes(const AttentionArgs& args) {
  return scratch_bytes<ForwardPanels, PairForwardPanels>(args);
}

std::size_t attention_backward_scratch_bytes(const AttentionArgs& args) {
  return scratch_bytes<BackwardPanels, PairBackwardPanels>(args);
}

void attention_forward(const AttentionArgs& args, std::span<std::byte> scratch) {
  if (args.dtype == DType::kF64) return attention_reference_forward<double>(args);
  check(args);
  for_each_item(args, scratch, slice_bytes<ForwardPanels, PairForwardPanels>(args), false,
                [&](AttentionItem item, float* mine) {
                  HWY_DYNAMIC_DISPATCH(forward_item)(args, item, mine);
                });
}

void attention_backward(const AttentionGradArgs& args, std::span<std::byte> scratch) {
  if (args.forward.dtype == DType::kF64) return attention_reference_backward<double>(args);
  check(args.forward);
  for_each_item(args.forward, scratch,
                slice_bytes<BackwardPanels, PairBackwardPanels>(args.forward),
                args.dbias != nullptr, [&](AttentionItem item, float* mine) {
                  HWY_DYNAMIC_DISPATCH(backward_item)(args, item, mine);
                });
}

}  // namespace inlay::kernels

#endif  // HWY_ONCE
