// Multi-head attention over ragged sequences, Vaswani et al. 2017, eq. (1), with separate offsets
// for queries and keys.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

struct AttentionShape {
  int64_t heads = 1;
  int64_t kv_heads = 1;  // a divisor of heads
  float scale = 1.0f;
  bool causal = false;
  int64_t window = 0;     // causal only: the last so many keys that a query may attend; 0: all
  float soft_cap = 0.0f;  // scores become soft_cap tanh(score / soft_cap); 0: they stay
  // (max_k), full precision: added to the scores of the key at that place of every sequence, a
  // constant; undefined for none.
  Tensor key_bias = {};
};

// q (Tq, heads * D), k and v (Tk, kv_heads * D) in one type; sequence b attends from query rows
// [query_offsets[b], query_offsets[b+1]) to key rows [key_offsets[b], key_offsets[b+1]). `bias`,
// (heads, max_q, max_k) in full precision, is added to the scores of every sequence; null for none.
// Offsets must outlive the backward pass. The result is (Tq, heads * D) in q's type; scores are
// recomputed in backward.
Variable attention(OpContext& context, const Variable& q, const Variable& k, const Variable& v,
                   const std::vector<int64_t>& query_offsets,
                   const std::vector<int64_t>& key_offsets, const AttentionShape& shape,
                   Parameter* bias = nullptr);

}  // namespace inlay
