#include "adapters/orthogonal_rows.h"

#include <Eigen/QR>
#include <vector>

#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

template <class T>
using Column = Eigen::Matrix<T, Eigen::Dynamic, 1>;

// The vector of reflection i.
template <class T>
Column<T> reflector(const Tensor& original, int64_t i) {
  Column<T> v = const_matrix<T>(original).row(i).transpose();
  v.head(i).setZero();
  v(i) = 1;
  return v;
}

template <class T>
void reflect(const Column<T>& v, RowMajor<T>& y) {
  T tau = T(2) / v.squaredNorm();
  y -= (tau * v) * (v.transpose() * y).eval();
}

template <class T>
Column<T> signs(const Tensor& original) {
  return const_matrix<T>(original).diagonal().unaryExpr([](T x) { return x < 0 ? T(-1) : T(1); });
}

// States before each reflection, the last applied first: states[i] is what reflection i acts on.
template <class T>
std::vector<RowMajor<T>> states(const Tensor& original) {
  int64_t rows = original.dim(0), columns = original.dim(1);
  std::vector<RowMajor<T>> states(static_cast<std::size_t>(rows) + 1);
  RowMajor<T> y = RowMajor<T>::Identity(columns, rows);
  for (int64_t i = rows; i-- > 0;) {
    states[static_cast<std::size_t>(i) + 1] = y;
    reflect<T>(reflector<T>(original, i), y);
  }
  states[0] = y;
  return states;
}

// values: original, base.
template <class T>
Tensor rows_from(DerivedParameter::Values values) {
  RowMajor<T> q = states<T>(values[0])[0] * signs<T>(values[0]).asDiagonal();
  Tensor result = Tensor::empty(values[0].shape(), values[0].dtype());
  matrix<T>(result).noalias() = q.transpose() * const_matrix<T>(values[1]).transpose();
  return result;
}

template <class T>
std::vector<Tensor> pull_rows(DerivedParameter::Values values, const Tensor& grad) {
  const Tensor& original = values[0];
  std::vector<RowMajor<T>> before = states<T>(original);
  RowMajor<T> g = const_matrix<T>(values[1]).transpose() * const_matrix<T>(grad).transpose() *
                  signs<T>(original).asDiagonal();
  Tensor result = Tensor::zeros(original.shape(), original.dtype());
  auto into = matrix<T>(result);
  for (int64_t i = 0; i < original.dim(0); ++i) {
    Column<T> v = reflector<T>(original, i);
    const RowMajor<T>& y = before[static_cast<std::size_t>(i) + 1];
    T tau = T(2) / v.squaredNorm();
    Column<T> a = y.transpose() * v, b = g.transpose() * v;
    Column<T> dv = -tau * (g * a + y * b) + tau * tau * a.dot(b) * v;
    int64_t below = original.dim(1) - i - 1;
    into.row(i).tail(below) = dv.tail(below).transpose();
    reflect<T>(v, g);
  }
  return {result, Tensor()};
}

// An orthogonal matrix whose first columns are uniformly drawn.
Tensor draw_base(int64_t rows, int64_t columns, const Stream& stream) {
  Tensor drawn = normal_init({columns, rows}, 1.0f, stream).to(DType::kF64);
  Eigen::HouseholderQR<Eigen::MatrixXd> qr(const_matrix<double>(drawn));
  Eigen::MatrixXd full = qr.householderQ() * Eigen::MatrixXd::Identity(columns, columns);
  // Uniform where R's diagonal is positive (Mezzadri 2007, arXiv:math-ph/0609050).
  for (int64_t i = 0; i < rows; ++i) {
    if (qr.matrixQR()(i, i) < 0) full.col(i) *= -1;
  }
  Tensor base = Tensor::empty({columns, columns}, DType::kF32);
  matrix<float>(base) = full.cast<float>();
  return base;
}

Tensor negative_identity(int64_t rows, int64_t columns) {
  Tensor tensor = Tensor::zeros({rows, columns}, DType::kF32);
  matrix<float>(tensor).diagonal().setConstant(-1.0f);
  return tensor;
}

}  // namespace

DerivedParameter& make_orthogonal_rows(const Site& site, const std::string& part, int64_t rows,
                                       int64_t columns, bool trained, ParameterMaker& make) {
  std::string at = part + ".parametrizations.weight.";
  Tensor start = negative_identity(rows, columns);
  Parameter& original = trained ? make.make(site, at + "original", std::move(start))
                                : make.fixed(site, at + "original", std::move(start));
  Parameter& base =
      make.fixed(site, at + "0.base", draw_base(rows, columns, make.stream(site, at + "0.base")));
  return make.derive(
      site.name + "." + part, {&original, &base},
      [](DerivedParameter::Values values) {
        return with_real(values[0].dtype(),
                         [&](auto zero) { return rows_from<decltype(zero)>(values); });
      },
      [](DerivedParameter::Values values, const Tensor& grad) {
        return with_real(values[0].dtype(),
                         [&](auto zero) { return pull_rows<decltype(zero)>(values, grad); });
      });
}

}  // namespace inlay
