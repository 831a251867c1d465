// Root-mean-square normalisation, Zhang and Sennrich 2019.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

struct RmsNormWeights {
  Tensor weight;  // F32, (channels)
  float eps = 1e-6f;
  Parameter* trained_weight = nullptr;  // stands in for the frozen one
  float offset = 0;                     // added to the weight: 1 where files hold w of 1 + w
  // Of a row, each of so many parts is normalised by itself: heads of queries and keys.
  int64_t parts = 1;
  Precision precision = Precision::kFull;  // of the result
};

// x / sqrt(mean(x^2) + eps) * (weight + offset) over each row, or each part of it.
Variable rms_norm(OpContext& context, const Variable& x, const RmsNormWeights& weights);

}  // namespace inlay
