#include "tensor/kernels/cross_entropy.h"

#include "tensor/kernels/cross_entropy_reference.h"

namespace inlay::kernels {

double cross_entropy_weight(const CrossEntropy& args) {
  double sum = 0;
  for (int64_t r = 0; r < args.rows; ++r) {
    if (args.targets[r] != kIgnoredTarget) sum += class_weight<double>(args, args.targets[r]);
  }
  return sum;
}

void cross_entropy_forward(const CrossEntropy& args, Input logits, Output loss, Output lse) {
  if (logits.dtype() == DType::kF64)
    return cross_entropy_forward_reference<double>(args, logits, loss, lse);
  cross_entropy_forward_reference<float>(args, logits, loss, lse);
}

void cross_entropy_backward(const CrossEntropy& args, Input logits, Input lse, double scale,
                            Output grad_logits) {
  if (logits.dtype() == DType::kF64)
    return cross_entropy_backward_reference<double>(args, logits, lse, scale, grad_logits);
  cross_entropy_backward_reference<float>(args, logits, lse, scale, grad_logits);
}

}  // namespace inlay::kernels
