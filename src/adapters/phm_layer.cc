#include "adapters/phm_layer.h"

#include <cmath>
#include <utility>

#include "tensor/matrix_view.h"

namespace inlay {
namespace {

template <class T>
using View = Eigen::Map<const RowMajor<T>>;

// Matrix i of a stack of shape (n, rows, columns).
template <class T>
View<T> slice(const Tensor& stack, int64_t i) {
  return {stack.data<T>() + i * stack.dim(1) * stack.dim(2), stack.dim(1), stack.dim(2)};
}
template <class T>
Eigen::Map<RowMajor<T>> mutable_slice(Tensor& stack, int64_t i) {
  return {stack.mutable_data<T>() + i * stack.dim(1) * stack.dim(2), stack.dim(1), stack.dim(2)};
}

// values: rule, left, right.
template <class T>
Tensor phm_weight(DerivedParameter::Values values) {
  const Tensor &rule = values[0], &left = values[1], &right = values[2];
  int64_t n = rule.dim(0), in = left.dim(1), out = right.dim(2);
  Tensor weight = Tensor::zeros({n * out, n * in}, rule.dtype());
  auto w = matrix<T>(weight);
  for (int64_t i = 0; i < n; ++i) {
    RowMajor<T> term = (slice<T>(left, i) * slice<T>(right, i)).transpose();
    for (int64_t a = 0; a < n; ++a) {
      for (int64_t b = 0; b < n; ++b)
        w.block(b * out, a * in, out, in) += slice<T>(rule, i)(a, b) * term;
    }
  }
  return weight;
}

template <class T>
std::vector<Tensor> phm_pull(DerivedParameter::Values values, const Tensor& grad) {
  const Tensor &rule = values[0], &left = values[1], &right = values[2];
  int64_t n = rule.dim(0), in = left.dim(1), out = right.dim(2);
  Tensor rule_grad = Tensor::empty(rule.shape(), rule.dtype());
  Tensor left_grad = Tensor::empty(left.shape(), left.dtype());
  Tensor right_grad = Tensor::empty(right.shape(), right.dtype());
  auto g = const_matrix<T>(grad);
  for (int64_t i = 0; i < n; ++i) {
    RowMajor<T> term = (slice<T>(left, i) * slice<T>(right, i)).transpose();
    RowMajor<T> term_grad = RowMajor<T>::Zero(out, in);
    for (int64_t a = 0; a < n; ++a) {
      for (int64_t b = 0; b < n; ++b) {
        auto block = g.block(b * out, a * in, out, in);
        mutable_slice<T>(rule_grad, i)(a, b) = block.cwiseProduct(term).sum();
        term_grad += slice<T>(rule, i)(a, b) * block;
      }
    }
    mutable_slice<T>(left_grad, i) = term_grad.transpose() * slice<T>(right, i).transpose();
    mutable_slice<T>(right_grad, i) = slice<T>(left, i).transpose() * term_grad.transpose();
  }
  return {rule_grad, left_grad, right_grad};
}

// Glorot and Bengio 2010 for each matrix of the stack: variance 2 / (rows + columns).
Tensor glorot(const Shape& shape, bool uniform, const Stream& stream) {
  double variance = 2.0 / static_cast<double>(shape[1] + shape[2]);
  if (!uniform) return normal_init(shape, static_cast<float>(std::sqrt(variance)), stream);
  return uniform_init(shape, static_cast<float>(std::sqrt(3 * variance)), stream);
}

}  // namespace

DerivedParameter& make_phm_weight(const Site& site, const std::string& layer, int64_t in,
                                  int64_t out, const PhmShape& shape, ParameterMaker& make) {
  require(in % shape.n == 0 && out % shape.n == 0, ErrorKind::kUsage,
          "phm_dim {} at {}: it must divide {} and {}; set phm_dim or reduction_factor", shape.n,
          site.name, in, out);
  Parameter& rule = make.shared("phm_rule", [&](const Stream& stream) {
    return normal_init({shape.n, shape.n, shape.n}, static_cast<float>(shape.rule_std), stream);
  });
  auto factor = [&](const std::string& part, const Shape& size) -> Parameter& {
    return make.make(site, part, glorot(size, shape.glorot_uniform, make.stream(site, part)));
  };
  Parameter& left = factor(layer + ".W_left", {shape.n, in / shape.n, shape.rank});
  Parameter& right = factor(layer + ".W_right", {shape.n, shape.rank, out / shape.n});
  return make.derive(
      site.name + "." + layer + ".weight", {&rule, &left, &right},
      [](DerivedParameter::Values values) {
        return with_real(values[0].dtype(),
                         [&](auto zero) { return phm_weight<decltype(zero)>(values); });
      },
      [](DerivedParameter::Values values, const Tensor& grad) {
        return with_real(values[0].dtype(),
                         [&](auto zero) { return phm_pull<decltype(zero)>(values, grad); });
      });
}

}  // namespace inlay
