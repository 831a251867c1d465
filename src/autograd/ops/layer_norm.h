// Layer normalisation of x + residual, Ba et al. 2016.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

struct NormWeights {
  Tensor gamma, beta;  // F32, (channels)
  float eps = 1e-12f;
  Parameter* trained_gamma = nullptr;  // stand in for the frozen ones
  Parameter* trained_beta = nullptr;
};

// x and residual (rows, channels), residual may be undefined. The result is in full precision, and
// its narrow copy for the products that follow is made in the same pass.
Variable layer_norm(OpContext& context, const Variable& x, const Variable& residual,
                    const NormWeights& weights);

}  // namespace inlay
