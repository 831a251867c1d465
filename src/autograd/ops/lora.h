// y + s B A x: the low-rank update of Hu et al. 2021, "LoRA", eq. (3).
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// Which factors are trained; the others are constants.
struct TrainedFactors {
  bool a = true, b = true;
};

// y (rows, out), x (rows, in), a (r, in), b (out, r). `y` is consumed: given as the last handle,
// its memory is reused. Backward: du = s dy B, dB = s dy^T u, dA = du^T x, dx += du A, with u = x
// A^T.
Variable lora(OpContext& context, Variable y, const Variable& x, Parameter& a, Parameter& b,
              float scale, TrainedFactors trained = {});

// y + s u B^T where what A makes of x is given: u (rows, r) in full precision, b (out, r). `y`
// is consumed as above. Backward: du = s dy B, dB = s dy^T u.
Variable low_rank_add(OpContext& context, Variable y, const Variable& u, Parameter& b, float scale);

}  // namespace inlay
