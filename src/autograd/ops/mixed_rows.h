// Rows of every example that are sums of others of it, as a kernels::RowMixture says: maps that are
// resized.
#pragma once

#include "autograd/op_context.h"
#include "tensor/kernels/row_mixture.h"

namespace inlay {

// x: as many rows for each example -> mixture.rows() for each, in the space `rows`.
Variable mixed_rows(OpContext& context, const Variable& x, kernels::RowMixture mixture,
                    const RowSpace* rows);

}  // namespace inlay
