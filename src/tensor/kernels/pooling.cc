#include "tensor/kernels/pooling.h"

#include "tensor/kernels/pooling_reference.h"

namespace inlay::kernels {

void pooling_forward(Pooling kind, const RaggedRows& ragged, Input src, Output dst) {
  if (src.dtype() == DType::kF64) return pooling_forward_reference<double>(kind, ragged, src, dst);
  pooling_forward_reference<float>(kind, ragged, src, dst);
}

void pooling_backward(Pooling kind, const RaggedRows& ragged, Input grad_dst, Output grad_src) {
  if (grad_dst.dtype() == DType::kF64)
    return pooling_backward_reference<double>(kind, ragged, grad_dst, grad_src);
  pooling_backward_reference<float>(kind, ragged, grad_dst, grad_src);
}

}  // namespace inlay::kernels
