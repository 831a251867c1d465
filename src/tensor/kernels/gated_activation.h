// One half of a feed-forward layer multiplied by the activated other half (Shazeer 2020,
// arXiv:2002.05202: SwiGLU with SiLU, GEGLU with GELU), forward and backward in one pass.
//
//   gated_activation_forward(Activation::kSilu, gate, up, y, count);       y = f(gate) up
#pragma once

#include "tensor/kernels/activation.h"

namespace inlay::kernels {

// dst may have the address and type of either source.
void gated_activation_forward(Activation kind, Input gate, Input up, Output dst, int64_t count);

struct GatedActivationGrad {
  Input gate, up, grad_dst;
  Output grad_gate, grad_up;  // may be absent; may have the address and type of grad_dst
};

// grad_gate = grad_dst up f'(gate), grad_up = grad_dst f(gate).
void gated_activation_backward(Activation kind, const GatedActivationGrad& args, int64_t count);

}  // namespace inlay::kernels
