// Softmax of each row.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x (rows, columns) -> probabilities in x's type. Backward: dx = y (dy - sum(dy y)).
Variable softmax(OpContext& context, const Variable& x);

}  // namespace inlay
