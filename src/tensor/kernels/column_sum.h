// Sums down the columns of some rows: the gradients of a bias and of a factor over one chunk.
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// dst(c) = sum of src(t, c) over rows [first, last), added in row order; zeros for no rows. src:
// (rows, columns), dst: (columns), f32. Single-threaded, so that chunks can run in parallel.
void column_sum(Input src, int64_t columns, int64_t first, int64_t last, Output dst);

// dst(c) = sum of a(t, c) b(t, c) over rows [first, last), in the same way.
void column_dot(Input a, Input b, int64_t columns, int64_t first, int64_t last, Output dst);

}  // namespace inlay::kernels
