#include "tensor/kernels/optimizer.h"

#include "tensor/kernels/optimizer_reference.h"

namespace inlay::kernels {

void adamw_update(const AdamW& adamw, const AdamWBuffers& buffers) {
  if (buffers.grad.dtype() == DType::kF64) return adamw_update_reference<double>(adamw, buffers);
  adamw_update_reference<float>(adamw, buffers);
}

void sgd_update(const Sgd& sgd, const SgdBuffers& buffers) {
  if (buffers.grad.dtype() == DType::kF64) return sgd_update_reference<double>(sgd, buffers);
  sgd_update_reference<float>(sgd, buffers);
}

}  // namespace inlay::kernels
