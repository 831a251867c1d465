// c + (m / n) (y - c): the outputs of a linear layer with the rows of its weight brought from
// length n to length m, c being its bias. DoRA (Liu et al. 2024, arXiv:2402.09353, eq. 5), and with
// n = 1 and no centre any learned scaling of channels.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// y (rows, channels), magnitude (channels); centre and length (channels) or undefined: 0 and 1.
// The length is a constant to the gradient. Where m / n is 1 the bits of y do not change. Backward:
// dy = (m / n) dz, dm = sum of dz (y - c) / n.
Variable rescale(OpContext& context, const Variable& y, Parameter& magnitude, const Tensor& centre,
                 const Tensor& length);

}  // namespace inlay
