// factor * x, with a constant factor or a trainable one.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

Variable scale(OpContext& context, const Variable& x, double factor);

// The factor is a parameter of one element (AdapterHub's learned scaling).
Variable scale(OpContext& context, const Variable& x, Parameter& factor);

}  // namespace inlay
