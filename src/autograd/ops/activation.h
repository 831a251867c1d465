// Element-wise activation functions.
#pragma once

#include "autograd/op_context.h"
#include "tensor/kernels/activation.h"

namespace inlay {

using kernels::Activation;

// f(x), any shape, in x's own type or in that of the precision. Backward: dx = dy f'(x), from y
// alone where it tells the derivative.
Variable activation(OpContext& context, const Variable& x, Activation kind);
Variable activation(OpContext& context, const Variable& x, Activation kind, Precision precision);

// The kind that a Hugging Face configuration names; kInput naming `where` and the known names
// otherwise.
Activation parse_activation(std::string_view name, std::string_view where);

}  // namespace inlay
