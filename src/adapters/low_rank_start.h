// Where the factors of a low-rank update start from.
#pragma once

#include <Eigen/Core>

#include "adapters/method.h"

namespace inlay {

struct LowRankFactors {
  Tensor a;  // (r, in)
  Tensor b;  // (out, r)
};

struct SingularVectors {
  Eigen::MatrixXd left, right;  // columns, of the largest value first
  Eigen::VectorXd values;
};
// The first `count`, from the eigenvectors of the smaller of M M^T and M^T M: exact for the large
// values, which is what the starts take. Columns of values that are zero to rounding may be zero.
SingularVectors leading_vectors(const Eigen::MatrixXd& m, int64_t count);

// PiSSA (Meng et al. 2024, arXiv:2404.02948): the r largest singular values of W = U S V^T,
// A = sqrt(S / s) V^T, B = U sqrt(S / s), so that s B A is W's best approximation of rank r. With
// iterations > 0 by randomised SVD (Halko et al. 2011, algorithm 4.4) with so many power
// iterations, its test matrix drawn from `stream`.
LowRankFactors pissa_start(const Tensor& weight, int64_t rank, double scale, int64_t iterations,
                           const Stream& stream);

// OLoRA (Buyukakyuz 2024, arXiv:2406.01775): W = Q R; A = the first r rows of R, B the first r
// columns of Q.
LowRankFactors olora_start(const Tensor& weight, int64_t rank);

// Factors that are both not zero though their product is, to rounding: A = (X1 Q_odd)^T / 10,
// B = X2 Q_even / 10 with the rows of a random orthogonal Q and Gaussian X1, X2. REQUIRES: an even
// rank. Streams "x1", "x2", "q" of the site.
LowRankFactors orthogonal_start(const Site& site, int64_t rank, const ParameterMaker& make);

}  // namespace inlay
