// One update of trainable parameters, fused into one pass over parameter, gradient and state.
// Everything is f32.
//
//   adamw_update({.learning_rate = lr, .step = step},
//                {.count = count, .grad = g, .param = p, .m = m, .v = v});
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// Loshchilov and Hutter 2019, with PyTorch's arrangement. At step n = 1, 2, ...:
//   p <- p (1 - lr wd);  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
//   p <- p - lr / (1 - b1^n) * m / (sqrt(v) / sqrt(1 - b2^n) + epsilon)
struct AdamW {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  int64_t step = 1;
};

struct AdamWBuffers {
  int64_t count = 0;
  Input grad;
  Output param;
  Output m;  // first moment, zeros before step 1
  Output v;  // second moment, zeros before step 1
};

void adamw_update(const AdamW& adamw, const AdamWBuffers& buffers);

// g <- grad + wd p;  velocity <- momentum * velocity + g;  p <- p - lr * velocity
struct Sgd {
  double learning_rate = 1e-2;
  double momentum = 0;
  double weight_decay = 0;
};

struct SgdBuffers {
  int64_t count = 0;
  Input grad;
  Output param;
  Output velocity;  // zeros before the first step; absent when momentum is 0
};

void sgd_update(const Sgd& sgd, const SgdBuffers& buffers);

}  // namespace inlay::kernels
