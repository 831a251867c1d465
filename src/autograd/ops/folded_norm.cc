#include "autograd/ops/folded_norm.h"

#include <cmath>

#include "autograd/operands.h"

namespace inlay {

FoldedNorm folded_norm(const Tensor& mean, const Tensor& variance, double eps, const Tensor& gamma,
                       const Tensor& beta, DType dtype) {
  FoldedNorm folded{Tensor::empty(gamma.shape(), dtype), Tensor::empty(gamma.shape(), dtype)};
  for (int64_t c = 0; c < gamma.count(); ++c) {
    double width = std::sqrt(in(variance).load<double>(c) + eps);
    double scale = in(gamma).load<double>(c) / width;
    out(folded.scale).store(c, scale);
    out(folded.shift).store(c, in(beta).load<double>(c) - in(mean).load<double>(c) * scale);
  }
  return folded;
}

}  // namespace inlay
