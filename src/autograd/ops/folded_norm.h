// A batch norm by given statistics as one factor and one addend for each channel. A base and an
// adapter that has the base's values fold them alike, so they give the same bits.
#pragma once

#include "tensor/tensor.h"

namespace inlay {

struct FoldedNorm {
  Tensor scale, shift;  // (channels)
};

// scale = gamma / sqrt(variance + eps), shift = beta - mean * scale, computed in float64 and
// rounded to `dtype` (F32 or F64).
FoldedNorm folded_norm(const Tensor& mean, const Tensor& variance, double eps, const Tensor& gamma,
                       const Tensor& beta, DType dtype);

}  // namespace inlay
