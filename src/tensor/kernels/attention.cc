#include "tensor/kernels/attention.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/kernels/attention_reference.h"
#include "tensor/kernels/attention_scratch.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/attention_rows-inl.h"
#include "tensor/kernels/attention_tile-inl.h"

#ifndef INLAY_KERNELS_ATTENTION_HEAD_
#define INLAY_KERNELS_ATTENTION_HEAD_

namespace inlay::kernels {

// One sequence and one key head, as the parallel loops hand them out.
struct AttentionItem {
  std::size_t sequence;
  int64_t kv_head;
};

// Where one head of one sequence begins in each array. Head counts query heads.
template <class Element>
struct AttentionHead {
  AttentionHead(const AttentionArgs& args, std::size_t sequence, int64_t head)
      : args(args),
        first_query(args.query_offsets[sequence]),
        first_key(args.key_offsets[sequence]),
        head(head),
        shape{static_cast<std::size_t>(args.query_offsets[sequence + 1] - first_query),
              static_cast<std::size_t>(args.key_offsets[sequence + 1] - first_key),
              static_cast<std::size_t>(args.head_dim)} {}

  const Element* query(const void* base, int64_t stride, std::size_t i = 0) const {
    return static_cast<const Element*>(base) + query_offset(stride, i);
  }
  Element* query(void* base, int64_t stride, std::size_t i = 0) const {
    return static_cast<Element*>(base) + query_offset(stride, i);
  }
  const Element* key(const void* base, int64_t stride) const {
    return static_cast<const Element*>(base) + key_offset(stride);
  }
  Element* key(void* base, int64_t stride) const {
    return static_cast<Element*>(base) + key_offset(stride);
  }

  float* statistics(void* base) const {
    return static_cast<float*>(base) + head * args.query_offsets.back() + first_query;
  }
  const float* bias(std::size_t i) const {
    return static_cast<const float*>(args.bias) + head * args.bias_head_stride +
           static_cast<int64_t>(i) * args.bias_query_stride;
  }
  // Number of keys that query i attends.
  std::size_t limit(std::size_t i) const {
    if (!args.causal) return shape.keys;
    const std::size_t end = i + 1 + shape.keys;
    return end > shape.queries ? std::min(end - shape.queries, shape.keys) : 0;
  }

  int64_t query_offset(int64_t stride, std::size_t i) const {
    return (first_query + static_cast<int64_t>(i)) * stride + head * args.head_dim;
  }
  int64_t key_offset(int64_t stride) const {
    return first_key * stride + head / (args.heads / args.kv_heads) * args.head_dim;
  }

  const AttentionArgs& args;
  int64_t first_query, first_key, head;
  SequenceShape shape;
};

}  // namespace inlay::kernels

#endif

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

// S = scale log2(e) Q K^T + log2(e) bias for queries [first, first + rows) and the keys that any of
// them attends.
template <class Element>
void block_scores(const AttentionHead<Element>& head, std::size_t first, std::size_t rows,
                  const Panel& queries, const Panel& keys_transposed, const Panel& scores) {
  const AttentionArgs& args = head.args;
  copy_rows(head.query(args.q, args.q_stride, first), static_cast<std::size_t>(args.q_stride), rows,
            head.shape.depth, args.scale * kLog2E, queries);
  multiply<Left::kRows>(queries, keys_transposed, rows, head.limit(first + rows - 1),
                        head.shape.depth, scores);
  if (args.bias == nullptr) return;
  for (std::size_t i = 0; i < rows; ++i)
    add_bias(head.bias(first + i), head.limit(first + i), scores.row(i));
}

template <class Element>
void forward_block(const AttentionHead<Element>& head, std::size_t first, std::size_t rows,
                   const ForwardPanels& panels) {
  const AttentionArgs& args = head.args;
  block_scores(head, first, rows, panels.queries, panels.keys_transposed, panels.scores);
  const std::size_t keys = head.limit(first + rows - 1);
  for (std::size_t i = 0; i < rows; ++i) {
    const RowSum row = exponentiate(panels.scores.row(i), head.limit(first + i), keys);
    panels.largest[i] = row.largest;
    panels.sum[i] = row.sum;
  }
  multiply<Left::kRows>(panels.scores, panels.values, rows, head.shape.depth, keys, panels.out);
  for (std::size_t i = 0; i < rows; ++i) {
    const float sum = panels.sum[i];
    write_row(panels.out.row(i), head.shape.depth, sum == 0.0f ? 0.0f : 1.0f / sum,
              head.query(args.out, args.out_stride, first + i));
  }
  if (args.lse != nullptr) {
    log_sum_exp(panels.largest, panels.sum, rows, head.statistics(args.lse) + first);
  }
}

template <class Element>
void forward_sequence(const AttentionArgs& args, AttentionItem item, float* scratch) {
  const int64_t group = args.heads / args.kv_heads;
  const AttentionHead<Element> key_head(args, item.sequence, item.kv_head * group);
  const SequenceShape& shape = key_head.shape;
  if (shape.queries == 0) return;
  ScratchLayout layout(scratch);
  const ForwardPanels panels(layout, shape);
  copy_transposed(key_head.key(args.k, args.k_stride), static_cast<std::size_t>(args.k_stride),
                  shape.keys, shape.depth, panels.keys_transposed);
  copy_rows(key_head.key(args.v, args.v_stride), static_cast<std::size_t>(args.v_stride),
            shape.keys, shape.depth, 1.0f, panels.values);
  for (int64_t h = 0; h < group; ++h) {
    const AttentionHead<Element> head(args, item.sequence, item.kv_head * group + h);
    for (std::size_t first = 0; first < shape.queries; first += shape.query_block()) {
      forward_block(head, first, std::min(shape.query_block(), shape.queries - first), panels);
    }
  }
}

// P and dS of a block: P = 2^(S - log2(e) lse), dP = dO V^T, dS = P (dP - sum(dP P)); dbias += dS.
template <class Element>
void block_gradients(const AttentionGradArgs& args, const AttentionHead<Element>& head,
                     std::size_t first, std::size_t rows, const BackwardPanels& panels) {
  const bool scores_needed = args.dq != nullptr || args.dk != nullptr || args.dbias != nullptr;
  const std::size_t keys = head.limit(first + rows - 1);
  block_scores(head, first, rows, panels.queries, panels.keys_transposed, panels.p);
  if (scores_needed) {
    multiply<Left::kRows>(panels.out_grad, panels.values_transposed, rows, keys, head.shape.depth,
                          panels.dp);
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const float lse = head.statistics(args.forward.lse)[first + i];
    const float shift = std::isinf(lse) ? 0.0f : lse * kLog2E;
    float* dp = scores_needed ? panels.dp.row(i) : nullptr;
    const float mean = probabilities(panels.p.row(i), dp, shift, head.limit(first + i), keys);
    if (dp == nullptr) continue;
    score_gradient(panels.p.row(i), mean, keys, dp);
    if (args.dbias != nullptr) {
      float* dbias = static_cast<float*>(args.dbias) + head.head * args.dbias_head_stride +
                     static_cast<int64_t>(first + i) * args.dbias_query_stride;
      add_row(dp, head.limit(first + i), dbias);
    }
  }
}

template <class Element>
void backward_block(const AttentionGradArgs& args, const AttentionHead<Element>& head,
                    std::size_t first, std::size_t rows, const BackwardPanels& panels) {
  const AttentionArgs& forward = args.forward;
  const std::size_t depth = head.shape.depth;
  const std::size_t keys = head.limit(first + rows - 1);
  copy_rows(head.query(args.out_grad, args.out_grad_stride, first),
            static_cast<std::size_t>(args.out_grad_stride), rows, depth, 1.0f, panels.out_grad);
  block_gradients(args, head, first, rows, panels);
  if (args.dv != nullptr) {
    multiply<Left::kColumns, Into::kAdd>(panels.p, panels.out_grad, keys, depth, rows, panels.dv);
  }
  if (args.dk != nullptr) {
    multiply<Left::kColumns, Into::kAdd>(panels.dp, panels.queries, keys, depth, rows, panels.dk);
  }
  if (args.dq == nullptr) return;
  multiply<Left::kRows>(panels.dp, panels.keys, rows, depth, keys, panels.dq);
  for (std::size_t i = 0; i < rows; ++i) {
    write_row(panels.dq.row(i), depth, forward.scale,
              head.query(args.dq, args.dq_stride, first + i));
  }
}

template <class Element>
void pack_keys(const AttentionGradArgs& args, const AttentionHead<Element>& head,
               const BackwardPanels& panels) {
  const AttentionArgs& forward = args.forward;
  const SequenceShape& shape = head.shape;
  const Element* k = head.key(forward.k, forward.k_stride);
  copy_transposed(k, static_cast<std::size_t>(forward.k_stride), shape.keys, shape.depth,
                  panels.keys_transposed);
  copy_transposed(head.key(forward.v, forward.v_stride), static_cast<std::size_t>(forward.v_stride),
                  shape.keys, shape.depth, panels.values_transposed);
  if (args.dq != nullptr) {
    copy_rows(k, static_cast<std::size_t>(forward.k_stride), shape.keys, shape.depth, 1.0f,
              panels.keys);
  }
  std::fill_n(panels.dk.data, shape.keys * panels.dk.stride, 0.0f);
  std::fill_n(panels.dv.data, shape.keys * panels.dv.stride, 0.0f);
}

template <class Element>
void backward_sequence(const AttentionGradArgs& args, AttentionItem item, float* scratch) {
  const AttentionArgs& forward = args.forward;
  const int64_t group = forward.heads / forward.kv_heads;
  const AttentionHead<Element> key_head(forward, item.sequence, item.kv_head * group);
  const SequenceShape& shape = key_head.shape;
  ScratchLayout layout(scratch);
  const BackwardPanels panels(layout, shape);
  pack_keys(args, key_head, panels);
  for (int64_t h = 0; h < group && shape.queries > 0; ++h) {
    const AttentionHead<Element> head(forward, item.sequence, item.kv_head * group + h);
    for (std::size_t first = 0; first < shape.queries; first += shape.query_block()) {
      backward_block(args, head, first, std::min(shape.query_block(), shape.queries - first),
                     panels);
    }
  }
  for (std::size_t j = 0; j < shape.keys; ++j) {
    const auto at = static_cast<int64_t>(j);
    if (args.dk != nullptr) {
      write_row(panels.dk.row(j), shape.depth, kLn2,
                key_head.key(args.dk, args.dk_stride) + at * args.dk_stride);
    }
    if (args.dv != nullptr) {
      write_row(panels.dv.row(j), shape.depth, 1.0f,
                key_head.key(args.dv, args.dv_stride) + at * args.dv_stride);
    }
  }
}

void forward_item(const AttentionArgs& args, AttentionItem item, float* scratch) {
  if (args.dtype == DType::kBF16) return forward_sequence<BFloat16>(args, item, scratch);
  forward_sequence<float>(args, item, scratch);
}

void backward_item(const AttentionGradArgs& args, AttentionItem item, float* scratch) {
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

template <class Panels>
std::size_t slice_bytes(const AttentionArgs& args) {
  std::size_t floats = 0;
  for (std::size_t b = 0; b < sequence_count(args); ++b) {
    ScratchLayout layout;
    Panels(layout, AttentionHead<float>(args, b, 0).shape);
    floats = std::max(floats, layout.floats());
  }
  return floats * sizeof(float);
}

template <class Panels>
std::size_t scratch_bytes(const AttentionArgs& args) {
  if (args.dtype == DType::kF64) return kAlignment;
  return slice_bytes<Panels>(args) * static_cast<std::size_t>(omp_get_max_threads()) + kAlignment;
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
  return scratch_bytes<ForwardPanels>(args);
}

std::size_t attention_backward_scratch_bytes(const AttentionArgs& args) {
  return scratch_bytes<BackwardPanels>(args);
}

void attention_forward(const AttentionArgs& args, std::span<std::byte> scratch) {
  if (args.dtype == DType::kF64) return attention_reference_forward<double>(args);
  check(args);
  for_each_item(args, scratch, slice_bytes<ForwardPanels>(args), false,
                [&](AttentionItem item, float* mine) {
                  HWY_DYNAMIC_DISPATCH(forward_item)(args, item, mine);
                });
}

void attention_backward(const AttentionGradArgs& args, std::span<std::byte> scratch) {
  if (args.forward.dtype == DType::kF64) return attention_reference_backward<double>(args);
  check(args.forward);
  for_each_item(args.forward, scratch, slice_bytes<BackwardPanels>(args.forward),
                args.dbias != nullptr, [&](AttentionItem item, float* mine) {
                  HWY_DYNAMIC_DISPATCH(backward_item)(args, item, mine);
                });
}

}  // namespace inlay::kernels

#endif  // HWY_ONCE
