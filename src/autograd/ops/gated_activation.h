// The gated feed-forward layer's middle, Shazeer 2020 (arXiv:2002.05202), eq. (6): f(gate) * up.
#pragma once

#include "autograd/op_context.h"
#include "tensor/kernels/activation.h"

namespace inlay {

// gate and up of one shape and type -> the same.
Variable gated_activation(OpContext& context, const Variable& gate, const Variable& up,
                          kernels::Activation kind);

}  // namespace inlay
