#include "tensor/kernels/softmax.h"

#include "tensor/kernels/softmax_reference.h"

namespace inlay::kernels {

void softmax_forward(Input src, Output dst, int64_t rows, int64_t columns) {
  if (src.dtype() == DType::kF64) return softmax_forward_reference<double>(src, dst, rows, columns);
  softmax_forward_reference<float>(src, dst, rows, columns);
}

void softmax_backward(Input dst, Input grad_dst, Output grad_src, int64_t rows, int64_t columns) {
  if (dst.dtype() == DType::kF64)
    return softmax_backward_reference<double>(dst, grad_dst, grad_src, rows, columns);
  softmax_backward_reference<float>(dst, grad_dst, grad_src, rows, columns);
}

}  // namespace inlay::kernels
