// Tensors as the operands that kernels take. An undefined tensor is an absent operand.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/tensor.h"

namespace inlay {

inline kernels::Input in(const Tensor& tensor) {
  return tensor.defined() ? kernels::Input(tensor.raw(), tensor.dtype()) : kernels::Input();
}
inline kernels::Output out(const Tensor& tensor) {
  return tensor.defined() ? kernels::Output(tensor.mutable_raw(), tensor.dtype())
                          : kernels::Output();
}

}  // namespace inlay
