#include "adapters/low_rank_start.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <cmath>

#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Matrix = Eigen::MatrixXd;

Matrix wide(const Tensor& tensor) { return const_matrix<double>(tensor.to(DType::kF64)); }

Tensor narrow(const Matrix& values) {
  Tensor tensor = Tensor::empty({values.rows(), values.cols()}, DType::kF32);
  matrix<float>(tensor) = values.cast<float>();
  return tensor;
}

Matrix drawn(int64_t rows, int64_t columns, const Stream& stream) {
  return wide(normal_init({rows, columns}, 1.0f, stream));
}

// An orthonormal basis of the columns.
Matrix basis(const Matrix& columns) {
  Eigen::HouseholderQR<Matrix> qr(columns);
  return qr.householderQ() * Matrix::Identity(columns.rows(), columns.cols());
}

SingularVectors randomised(const Matrix& weight, int64_t rank, int64_t iterations,
                           const Stream& stream) {
  int64_t columns = std::min<int64_t>(2 * rank, std::min(weight.rows(), weight.cols()));
  Matrix range = basis(weight * drawn(weight.cols(), columns, stream));
  for (int64_t i = 0; i < iterations; ++i)
    range = basis(weight * basis(weight.transpose() * range));
  Eigen::JacobiSVD<Matrix> svd(range.transpose() * weight,
                               Eigen::ComputeThinU | Eigen::ComputeThinV);
  return {range * svd.matrixU().leftCols(rank), svd.matrixV().leftCols(rank),
          svd.singularValues().head(rank)};
}

}  // namespace

SingularVectors leading_vectors(const Matrix& m, int64_t count) {
  bool tall = m.rows() > m.cols();
  count = std::min<int64_t>(count, std::min(m.rows(), m.cols()));
  Matrix gram = tall ? Matrix(m.transpose() * m) : Matrix(m * m.transpose());
  Eigen::SelfAdjointEigenSolver<Matrix> solver(gram);
  double least = 1e-14 * std::max(solver.eigenvalues().tail(1)[0], 0.0);
  Eigen::VectorXd squares = solver.eigenvalues().tail(count).reverse();
  SingularVectors found;
  found.values = (squares.array() > least).select(squares, 0.0).cwiseSqrt();
  Matrix vectors = solver.eigenvectors().rightCols(count).rowwise().reverse();
  Matrix other = tall ? Matrix(m * vectors) : Matrix(m.transpose() * vectors);
  for (int64_t i = 0; i < count; ++i) other.col(i).normalize();
  found.left = tall ? other : vectors;
  found.right = tall ? vectors : other;
  return found;
}

LowRankFactors pissa_start(const Tensor& weight, int64_t rank, double scale, int64_t iterations,
                           const Stream& stream) {
  Matrix w = wide(weight);
  SingularVectors found =
      iterations > 0 ? randomised(w, rank, iterations, stream) : leading_vectors(w, rank);
  Eigen::VectorXd share = (found.values / std::fabs(scale)).cwiseSqrt();
  double sign = scale < 0 ? -1.0 : 1.0;
  return {narrow(share.asDiagonal() * found.right.transpose()),
          narrow(sign * found.left * share.asDiagonal())};
}

LowRankFactors olora_start(const Tensor& weight, int64_t rank) {
  Matrix w = wide(weight);
  Eigen::HouseholderQR<Matrix> qr(w);
  Matrix q = qr.householderQ() * Matrix::Identity(w.rows(), rank);
  Matrix r = qr.matrixQR().topRows(rank).triangularView<Eigen::Upper>();
  return {narrow(r), narrow(q)};
}

LowRankFactors orthogonal_start(const Site& site, int64_t rank, const ParameterMaker& make) {
  Matrix q = basis(drawn(rank, rank, make.stream(site, "q")));
  int64_t half = rank / 2;
  Matrix odd(half, rank), even(half, rank);
  for (int64_t i = 0; i < half; ++i) {
    odd.row(i) = q.row(2 * i);
    even.row(i) = q.row(2 * i + 1);
  }
  Matrix x1 = drawn(site.in, half, make.stream(site, "x1"));
  Matrix x2 = drawn(site.out, half, make.stream(site, "x2"));
  return {narrow((x1 * odd).transpose() / 10.0), narrow(x2 * even / 10.0)};
}

}  // namespace inlay
