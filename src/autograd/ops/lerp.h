// base + gate * (adapted - base): the definition of a gate between 0 and 1.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

Variable lerp(OpContext& context, const Variable& base, const Variable& adapted, double gate);

}  // namespace inlay
