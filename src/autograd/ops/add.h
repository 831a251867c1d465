// a + factor * b, element by element.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

Variable add(OpContext& context, const Variable& a, const Variable& b);
Variable add_scaled(OpContext& context, const Variable& a, const Variable& b, double factor);

}  // namespace inlay
