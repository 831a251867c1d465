#include "adapters/arithmetic/singular_values.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>

namespace inlay {
namespace {

using Eigen::MatrixXd;

// Q (rows, columns) and R of a matrix with at least as many rows as columns.
struct ThinQr {
  MatrixXd q, r;
};

ThinQr thin_qr(const MatrixXd& matrix) {
  Eigen::HouseholderQR<MatrixXd> qr(matrix);
  ThinQr thin;
  thin.q = qr.householderQ() * MatrixXd::Identity(matrix.rows(), matrix.cols());
  thin.r = qr.matrixQR().topRows(matrix.cols()).triangularView<Eigen::Upper>();
  return thin;
}

// At least as many rows as columns.
Svd svd_of_tall(const MatrixXd& matrix) {
  MatrixXd gram = matrix.transpose() * matrix;
  Eigen::SelfAdjointEigenSolver<MatrixXd> solver(gram);
  Svd svd;
  svd.v = solver.eigenvectors().rowwise().reverse();
  svd.u = matrix * svd.v;
  svd.s = svd.u.colwise().norm();
  for (Eigen::Index i = 0; i < svd.s.size(); ++i) {
    bool lost = svd.s(i) <= 1e-8 * svd.s(0);
    svd.u.col(i) *= lost ? 0.0 : 1.0 / svd.s(i);
    if (lost) svd.s(i) = 0;
  }
  return svd;
}

}  // namespace

Svd svd_of_product(const MatrixXd& b, const MatrixXd& a) {
  if (b.cols() >= std::min(b.rows(), a.cols())) return svd_of(b * a);
  ThinQr left = thin_qr(b), right = thin_qr(a.transpose());
  Eigen::JacobiSVD<MatrixXd> small(left.r * right.r.transpose(),
                                   Eigen::ComputeThinU | Eigen::ComputeThinV);
  return {left.q * small.matrixU(), small.singularValues(), right.q * small.matrixV()};
}

Svd svd_of(const MatrixXd& matrix) {
  if (matrix.rows() >= matrix.cols()) return svd_of_tall(matrix);
  Svd turned = svd_of_tall(matrix.transpose());
  return {std::move(turned.v), std::move(turned.s), std::move(turned.u)};
}

}  // namespace inlay
