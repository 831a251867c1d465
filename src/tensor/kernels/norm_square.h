// The sum of squares of a buffer, for the norm of a gradient.
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// Accumulates in double: 4096 elements a block in a fixed lane order, then a binary tree over
// blocks, so the thread count cannot change a bit.
double norm_square(Input src, int64_t count);

}  // namespace inlay::kernels
