// Losses against real-valued targets, summed over each row: binary cross entropy with logits
// (multi-label classification) and the squared error (regression). A mean is the caller's division.
//
//   bce_with_logits_forward(logits, targets, rows, columns, loss);
//   bce_with_logits_backward(logits, targets, grad_loss / count, grad_logits, count);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// src, targets: (rows, columns); loss: (rows), f32.
// loss(r) = sum_c max(x, 0) - x t + log(1 + exp(-|x|))
void bce_with_logits_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss);
// grad_src = scale * (sigmoid(x) - t)
void bce_with_logits_backward(Input src, Input targets, double scale, Output grad_src,
                              int64_t count);

// loss(r) = sum_c (x - t)^2
void squared_error_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss);
// grad_src = 2 scale (x - t)
void squared_error_backward(Input src, Input targets, double scale, Output grad_src, int64_t count);

}  // namespace inlay::kernels
