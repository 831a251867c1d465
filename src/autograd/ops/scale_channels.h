// Each channel times a trainable factor of its own.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// y(t, c) = factors(c) x(t, c), in x's type; `factors` has one element per channel, in any shape.
Variable scale_channels(OpContext& context, const Variable& x, Parameter& factors);

}  // namespace inlay
