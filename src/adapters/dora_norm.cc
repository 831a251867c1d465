#include "adapters/dora_norm.h"

#include <cmath>

#include "autograd/operands.h"
#include "autograd/ops/linear.h"
#include "tensor/matrix_view.h"

namespace inlay {

Tensor row_squares(const Tensor& weight) {
  Tensor squares = Tensor::zeros({weight.dim(0)}, DType::kF64);
  kernels::Input numbers = in(weight);
  for (int64_t i = 0; i < weight.count(); ++i) {
    auto number = numbers.load<double>(i);
    squares.mutable_data<double>()[i / weight.dim(1)] += number * number;
  }
  return squares;
}

Tensor row_lengths(const Site& site) {
  Tensor squares = row_squares(out_by_in(site));
  Tensor lengths = Tensor::empty(squares.shape(), DType::kF32);
  for (int64_t i = 0; i < lengths.count(); ++i)
    out(lengths).store(i, std::sqrt(squares.data<double>()[i]));
  return lengths;
}

Tensor DoraNorm::measure(OpContext& context, const FrozenWeight& weight) const {
  Tensor a = a_.value().to(DType::kF64), b = b_.value().to(DType::kF64);
  Tensor pushed = times_frozen(context, a_.value(), weight).to(DType::kF64);  // (r, out)
  auto factor_a = const_matrix<double>(a), factor_b = const_matrix<double>(b);
  Eigen::VectorXd crossed =
      const_matrix<double>(pushed).transpose().cwiseProduct(factor_b).rowwise().sum();
  RowMajor<double> inner = factor_a * factor_a.transpose();
  Eigen::VectorXd own = (factor_b * inner).cwiseProduct(factor_b).rowwise().sum();
  Tensor lengths = Tensor::empty(squares_.shape(), context.dtype(Precision::kFull));
  double s = scale_;
  for (int64_t i = 0; i < lengths.count(); ++i) {
    double square = squares_.data<double>()[i] + 2 * s * crossed[i] + s * s * own[i];
    out(lengths).store(i, std::sqrt(std::max(square, 0.0)));
  }
  return lengths;
}

Tensor DoraNorm::lengths(OpContext& context, const FrozenWeight& weight) {
  std::lock_guard<std::mutex> guard(lock_);
  Measured& entry = measured_[context.compute];
  bool fresh = entry.a_version == a_.version() && entry.b_version == b_.version();
  if (!fresh) entry = {a_.version(), b_.version(), measure(context, weight)};
  return entry.lengths;
}

}  // namespace inlay
