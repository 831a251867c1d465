// Each block of channels times a small matrix of its own: block-diagonal rotations.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x (rows, n b), blocks (n b, b) with block i in rows [i b, i b + b): y_i = x_i R_i as row vectors,
// in full precision. Backward: dx_i = dy_i R_i^T, dR_i = x_i^T dy_i.
Variable block_linear(OpContext& context, const Variable& x, Parameter& blocks);

}  // namespace inlay
