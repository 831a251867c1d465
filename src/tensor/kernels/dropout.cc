#include "tensor/kernels/dropout.h"

#include "tensor/kernels/dropout_reference.h"

namespace inlay::kernels {

void dropout(const Dropout& args, Input src, Output dst) {
  if (src.dtype() == DType::kF64) return dropout_reference<double>(args, src, dst);
  dropout_reference<float>(args, src, dst);
}

}  // namespace inlay::kernels
