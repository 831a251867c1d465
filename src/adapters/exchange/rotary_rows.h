// The rows of q_proj and k_proj in torchtune, whose rotary position embedding turns neighbouring
// channels, (0, 1), (2, 3), ..., where Hugging Face's turns channel i and i + head_dim / 2. The
// same projection therefore has its rows in another order, per head:
//
//   Hugging Face   0 1 2 3 4 5       head_dim 6
//   torchtune      0 3 1 4 2 5
//
// B's rows and DoRA's magnitudes, one per row, both follow it.
#pragma once

#include "tensor/tensor.h"

namespace inlay::exchange {

// REQUIRES: the rows are `heads` times an even number.
Tensor interleave_rows(const Tensor& rows, int64_t heads);    // Hugging Face -> torchtune
Tensor uninterleave_rows(const Tensor& rows, int64_t heads);  // torchtune -> Hugging Face

}  // namespace inlay::exchange
