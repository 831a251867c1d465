// Gated activations, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/activation_reference.h"
#include "tensor/kernels/gated_activation.h"

namespace inlay::kernels {

template <class T>
void gated_activation_forward_reference(Activation kind, Input gate, Input up, Output dst,
                                        int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    dst.store(i, activation_value(kind, gate.load<T>(i)) * up.load<T>(i));
}

template <class T>
void gated_activation_backward_reference(Activation kind, const GatedActivationGrad& args,
                                         int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    T gate = args.gate.load<T>(i), up = args.up.load<T>(i), grad = args.grad_dst.load<T>(i);
    if (args.grad_gate) args.grad_gate.store(i, grad * up * activation_slope(kind, gate));
    if (args.grad_up) args.grad_up.store(i, grad * activation_value(kind, gate));
  }
}

}  // namespace inlay::kernels
