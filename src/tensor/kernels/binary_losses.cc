#include "tensor/kernels/binary_losses.h"

#include "tensor/kernels/binary_losses_reference.h"

namespace inlay::kernels {

void bce_with_logits_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss) {
  if (src.dtype() == DType::kF64)
    return bce_with_logits_forward_reference<double>(src, targets, rows, columns, loss);
  bce_with_logits_forward_reference<float>(src, targets, rows, columns, loss);
}

void bce_with_logits_backward(Input src, Input targets, double scale, Output grad_src,
                              int64_t count) {
  if (src.dtype() == DType::kF64)
    return bce_with_logits_backward_reference<double>(src, targets, scale, grad_src, count);
  bce_with_logits_backward_reference<float>(src, targets, scale, grad_src, count);
}

void squared_error_forward(Input src, Input targets, int64_t rows, int64_t columns, Output loss) {
  if (src.dtype() == DType::kF64)
    return squared_error_forward_reference<double>(src, targets, rows, columns, loss);
  squared_error_forward_reference<float>(src, targets, rows, columns, loss);
}

void squared_error_backward(Input src, Input targets, double scale, Output grad_src,
                            int64_t count) {
  if (src.dtype() == DType::kF64)
    return squared_error_backward_reference<double>(src, targets, scale, grad_src, count);
  squared_error_backward_reference<float>(src, targets, scale, grad_src, count);
}

}  // namespace inlay::kernels
