// Rotary positions of queries or keys, Su et al. 2021 (arXiv:2104.09864), eq. (34).
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// cos(p f_i) and sin(p f_i) for positions p and frequencies f_i, scaled alike where a method to
// lengthen contexts does so: (positions, pairs), F32.
struct RotaryTables {
  Tensor cosine, sine;
};

// x (tokens, heads D), of each head's channels the first 2 * pairs turned as kernels/rotary.h says;
// in x's type. `positions` gives each token's row of the tables. Both must outlive the backward
// pass.
Variable rotary(OpContext& context, const Variable& x, int64_t heads, const RotaryTables& tables,
                const std::vector<int32_t>& positions);

}  // namespace inlay
