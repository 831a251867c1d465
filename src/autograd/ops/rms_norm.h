// Root-mean-square normalisation, Zhang and Sennrich 2019.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

struct RmsNormWeights {
  Tensor weight;  // F32, (channels)
  float eps = 1e-6f;
  Parameter* trained_weight = nullptr;  // stands in for the frozen one
};

// x / sqrt(mean(x^2) + eps) * weight over each row; full precision.
Variable rms_norm(OpContext& context, const Variable& x, const RmsNormWeights& weights);

}  // namespace inlay
