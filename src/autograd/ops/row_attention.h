// Each row attends to a few alternatives of its own: how AdapterFusion mixes what several adapters
// give (Pfeiffer et al. 2021, arXiv:2005.00247, section 3.2).
#pragma once

#include <span>

#include "autograd/op_context.h"

namespace inlay {

struct MixedRows {
  Variable mixed;  // (rows, channels): sum_n p_n values[n]
  Tensor weights;  // (rows, n): p = softmax_n(query . keys[n]), in full precision; not on the tape
};

// All (rows, channels) in full precision, in one space. Backward: with g_n = dy . v_n and
// s_n = p_n (g_n - sum_m p_m g_m): dv_n = p_n dy, dq = sum_n s_n k_n, dk_n = s_n q.
MixedRows row_attention(OpContext& context, const Variable& query, std::span<const Variable> keys,
                        std::span<const Variable> values);

}  // namespace inlay
