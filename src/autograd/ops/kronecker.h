// A layer whose weight is the Kronecker product of two small matrices, without making the weight.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// y = x (W1 (x) W2)^T in full precision: x (rows, m n), W1 (l, m), W2 (k, n), y (rows, l k). A row
// of x is a matrix X (m, n), and that of y is W1 (X W2^T). Backward: with Z = X W2^T,
// dW1 = dY Z^T, dZ = W1^T dY, dW2 = dZ^T X, dX = dZ W2.
Variable kronecker(OpContext& context, const Variable& x, Parameter& w1, Parameter& w2);

}  // namespace inlay
