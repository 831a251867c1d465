// Singular value decompositions of weight updates, in double: through the factors where there are
// some, and otherwise through the smaller of the two Gram matrices.
#pragma once

#include <Eigen/Core>

namespace inlay {

// u diag(s) v^T, s falling, k = min(rows, columns) or the number of factors if that is less.
struct Svd {
  Eigen::MatrixXd u;  // (rows, k)
  Eigen::VectorXd s;
  Eigen::MatrixXd v;  // (columns, k)
};

// Of b a, by QR of b and a^T and the SVD of a small matrix: rank x rank.
Svd svd_of_product(const Eigen::MatrixXd& b, const Eigen::MatrixXd& a);

// Of any matrix. Singular values below 1e-8 of the largest are lost in rounding; the columns of u
// that belong to them are zero. What is kept of a product u diag(s) v^T is exact all the same.
Svd svd_of(const Eigen::MatrixXd& matrix);

}  // namespace inlay
