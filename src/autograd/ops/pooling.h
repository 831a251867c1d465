// One row per example from its tokens: their mean, the first (CLS) or the last.
#pragma once

#include "autograd/op_context.h"
#include "tensor/kernels/pooling.h"

namespace inlay {

using kernels::Pooling;

// x (tokens, channels) in the token space; the result (examples, channels) lives in `examples`.
Variable pooling(OpContext& context, const Variable& x, Pooling kind, const RowSpace* examples);

}  // namespace inlay
