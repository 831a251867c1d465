#include "tensor/kernels/rms_norm.h"

#include "tensor/kernels/rms_norm_reference.h"

namespace inlay::kernels {

void rms_norm_forward(const RmsNormForward& args) {
  if (args.x.dtype() == DType::kF64) return rms_norm_forward_reference<double>(args);
  rms_norm_forward_reference<float>(args);
}

void rms_norm_backward(const RmsNormBackward& args) {
  if (args.grad_y.dtype() == DType::kF64) return rms_norm_backward_reference<double>(args);
  rms_norm_backward_reference<float>(args);
}

}  // namespace inlay::kernels
