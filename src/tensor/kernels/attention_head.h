// Where one head of one sequence begins in each array of an attention call, and which keys its
// queries attend.
//
//   AttentionHead<BFloat16> head(args, sequence, query_head);
//   const BFloat16* row = head.query(args.q, args.q_stride, i);
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tensor/kernels/attention.h"
#include "tensor/kernels/attention_scratch.h"

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

  // The first key that query i attends.
  std::size_t first_attended(std::size_t i) const {
    const auto window = static_cast<std::size_t>(args.window);
    return window == 0 || limit(i) < window ? 0 : limit(i) - window;
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
