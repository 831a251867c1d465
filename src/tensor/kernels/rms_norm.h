// Root-mean-square normalisation of each row (Zhang and Sennrich 2019), with an optional residual
// addition before it:
//
//   s = x + residual,  xhat = s * rstd,  rstd = 1 / sqrt(mean(s^2) + epsilon),  y = xhat * weight
//
//   rms_norm_forward({.rows = t, .channels = c, .epsilon = 1e-6, .x = x, .weight = w, .y = y});
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// weight and rstd are f32. y may have the address and type of x or of residual.
struct RmsNormForward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  double epsilon = 1e-6;
  Input x;         // (rows, C)
  Input residual;  // (rows, C), or absent
  Input weight;    // (C)
  Output y;        // (rows, C)
  Output y_copy;   // (rows, C), or absent: y once more, usually in bf16
  Output xhat;     // (rows, C), or absent: kept for backward
  Output rstd;     // (rows), or absent
};

void rms_norm_forward(const RmsNormForward& args);

// With g = grad_y * weight: grad_x = rstd * (g - xhat * mean(g * xhat)). grad_x may have the
// address and type of grad_y. The gradient of the weight is layer_norm_param_grad's grad_gamma.
struct RmsNormBackward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input grad_y;          // (rows, C)
  Input xhat;            // (rows, C)
  Input rstd;            // (rows)
  Input weight;          // (C)
  Output grad_x;         // (rows, C)
  Output grad_x_copy;    // (rows, C), or absent: grad_x once more, usually in bf16
};

void rms_norm_backward(const RmsNormBackward& args);

}  // namespace inlay::kernels
