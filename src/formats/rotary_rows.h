// The rows of q_proj and k_proj in files whose rotary position embedding turns neighbouring
// channels, (0, 1), (2, 3), ...: torchtune's, llama2.c's, and GGUF's of the llama architecture.
// Hugging Face's turns channel i and i + head_dim / 2. The same projection therefore has its rows
// in another order, per head:
//
//   halves, Hugging Face   0 1 2 3 4 5       head_dim 6
//   interleaved            0 3 1 4 2 5
//
// B's rows of LoRA and DoRA's magnitudes, one per row, both follow it.
#pragma once

#include "tensor/tensor.h"

namespace inlay {

// REQUIRES: the rows are `heads` times an even number.
Tensor interleave_rows(const Tensor& rows, int64_t heads);    // from halves
Tensor uninterleave_rows(const Tensor& rows, int64_t heads);  // to halves

}  // namespace inlay
