#include "tensor/kernels/layer_norm.h"

#include "tensor/kernels/layer_norm_reference.h"

namespace inlay::kernels {

void layer_norm_forward(const LayerNormForward& args) {
  if (args.x.dtype() == DType::kF64) return layer_norm_forward_reference<double>(args);
  layer_norm_forward_reference<float>(args);
}

void layer_norm_backward(const LayerNormBackward& args) {
  if (args.grad_y.dtype() == DType::kF64) return layer_norm_backward_reference<double>(args);
  layer_norm_backward_reference<float>(args);
}

void layer_norm_param_grad(const LayerNormParamGrad& args) {
  if (args.grad_y.dtype() == DType::kF64) return layer_norm_param_grad_reference<double>(args);
  layer_norm_param_grad_reference<float>(args);
}

}  // namespace inlay::kernels
