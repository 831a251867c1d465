// Cross entropy of logits against class numbers, with label smoothing and class weights as PyTorch
// defines them. With lse = log(sum_c exp(x_c)), p_c = exp(x_c - lse), smoothing e, weights w (1
// when absent), W = sum_c w_c and target y, a row has
//
//   loss   = (1 - e) w_y (lse - x_y) + e / V * sum_c w_c (lse - x_c)
//   grad_c = scale * (p_c ((1 - e) w_y + e W / V) - [c = y] (1 - e) w_y - e w_c / V)
//
// PyTorch's mean is the sum of the losses over cross_entropy_weight; the caller divides, since only
// it knows the whole effective batch.
//
//   cross_entropy_forward(args, logits, loss, lse);
//   cross_entropy_backward(args, logits, lse, grad_loss / total_weight, grad_logits);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

inline constexpr int32_t kIgnoredTarget = -100;  // loss 0, gradient 0

struct CrossEntropy {
  int64_t rows = 0;
  int64_t classes = 0;               // V
  const int32_t* targets = nullptr;  // (rows), each in [0, V) or kIgnoredTarget
  double label_smoothing = 0;
  Input class_weights;  // (V) f32, or absent
};

// The sum of the target weights of rows that are not ignored: their number, when there are no class
// weights.
double cross_entropy_weight(const CrossEntropy& args);

// logits: (rows, V); loss, lse: (rows), f32.
void cross_entropy_forward(const CrossEntropy& args, Input logits, Output loss, Output lse);

// grad_logits: (rows, V), may have the address and type of logits.
void cross_entropy_backward(const CrossEntropy& args, Input logits, Input lse, double scale,
                            Output grad_logits);

}  // namespace inlay::kernels
