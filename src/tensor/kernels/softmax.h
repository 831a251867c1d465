// Softmax of each row, and its gradient from the result.
//
//   softmax_forward(scores, probabilities, rows, columns);
//   softmax_backward(probabilities, grad_probabilities, grad_scores, rows, columns);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// src, dst: (rows, columns). -inf becomes 0; a row of -inf only becomes zeros. dst may have the
// address and type of src.
void softmax_forward(Input src, Output dst, int64_t rows, int64_t columns);

// grad_src = dst * (grad_dst - sum(grad_dst * dst)). grad_src may have the address and type of
// grad_dst.
void softmax_backward(Input dst, Input grad_dst, Output grad_src, int64_t rows, int64_t columns);

}  // namespace inlay::kernels
