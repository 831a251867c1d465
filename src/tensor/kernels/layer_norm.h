// Layer normalisation over the channels of each row (Ba et al. 2016), with the residual addition
// that precedes it in post-norm transformers:
//
//   s = x + residual,  rstd = 1 / sqrt(var(s) + epsilon),  xhat = (s - mean(s)) * rstd
//   y = xhat * gamma + beta
//
//   layer_norm_forward({.rows = t, .channels = c, .x = x, .gamma = w, .beta = b, .y = y});
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// gamma, beta, rstd are f32. y may have the address and type of x or of residual.
struct LayerNormForward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  double epsilon = 1e-5;
  Input x;         // (rows, C)
  Input residual;  // (rows, C), or absent
  Input gamma;     // (C)
  Input beta;      // (C)
  Output y;        // (rows, C)
  Output y_copy;   // (rows, C), or absent: y once more, usually in bf16 for the next matrix product
  Output xhat;     // (rows, C), or absent: kept for backward
  Output rstd;     // (rows), or absent
};

void layer_norm_forward(const LayerNormForward& args);

// With g = grad_y * gamma: grad_x = rstd * (g - mean(g) - xhat * mean(g * xhat)), the gradient of
// s, thus of x and of residual alike. grad_x may have the address and type of grad_y.
struct LayerNormBackward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input grad_y;          // (rows, C)
  Input xhat;            // (rows, C)
  Input rstd;            // (rows)
  Input gamma;           // (C)
  Output grad_x;         // (rows, C)
  Output grad_x_copy;    // (rows, C), or absent: grad_x once more, usually in bf16
};

void layer_norm_backward(const LayerNormBackward& args);

// grad_gamma = sum of grad_y * xhat and grad_beta = sum of grad_y over rows [first, last), added in
// row order. Overwrites; single-threaded, so that chunks can run in parallel. Gradients are f32;
// grad_beta may be absent.
struct LayerNormParamGrad {
  int64_t first = 0;
  int64_t last = 0;
  int64_t channels = 0;  // C
  Input grad_y;          // (rows, C)
  Input xhat;            // (rows, C)
  Output grad_gamma;     // (C)
  Output grad_beta;      // (C)
};

void layer_norm_param_grad(const LayerNormParamGrad& args);

}  // namespace inlay::kernels
