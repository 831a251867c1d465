// y + factor * b, a trained bias on every row.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// y (rows, channels), bias (channels). Backward: dy = dz, db = factor * the sum of dz over rows.
Variable add_bias(OpContext& context, const Variable& y, Parameter& bias, double factor = 1.0);

}  // namespace inlay
