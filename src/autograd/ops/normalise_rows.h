// Rows brought to length 1, so that the dot product of two is their cosine.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// Shorter rows are divided by this, as in PyTorch.
inline constexpr double kLeastLength = 1e-8;

// x (rows, channels) -> x / |x| of each row, in full precision.
Variable normalise_rows(OpContext& context, const Variable& x);

}  // namespace inlay
