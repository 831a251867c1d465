// Orthogonal blocks from skew-symmetric ones, R = (I - Q)(I + Q)^-1 (Cayley), and their gradients.
#pragma once

#include <Eigen/LU>

#include "tensor/matrix_view.h"

namespace inlay {

// The exact map. Note that the truncated series below gives its transpose.
template <class T>
RowMajor<T> cayley(const RowMajor<T>& q) {
  RowMajor<T> one = RowMajor<T>::Identity(q.rows(), q.cols());
  return (one - q) * (one + q).inverse();
}

// dR = -(I + R) dQ (I + Q)^-1, so the gradient of Q is -(I + R)^T G (I + Q)^-T.
template <class T>
RowMajor<T> cayley_backward(const RowMajor<T>& q, const RowMajor<T>& grad) {
  RowMajor<T> one = RowMajor<T>::Identity(q.rows(), q.cols());
  RowMajor<T> inverse = (one + q).inverse();
  RowMajor<T> r = (one - q) * inverse;
  return -(one + r).transpose() * grad * inverse.transpose();
}

// I + 2 Q + 2 Q^2 + 2 Q^3 + Q^4: (I + Q)(I - Q)^-1 up to the fourth power, as OFTv2 has it
// (arXiv:2506.19847).
template <class T>
RowMajor<T> cayley_series(const RowMajor<T>& q) {
  RowMajor<T> square = q * q;
  RowMajor<T> one = RowMajor<T>::Identity(q.rows(), q.cols());
  return one + 2 * q + 2 * square + 2 * (square * q) + square * square;
}

// d(Q^k) = sum_i Q^i dQ Q^(k-1-i).
template <class T>
RowMajor<T> cayley_series_backward(const RowMajor<T>& q, const RowMajor<T>& grad) {
  RowMajor<T> t = q.transpose(), t2 = t * t, t3 = t2 * t;
  RowMajor<T> sum = 2 * grad;
  sum += 2 * (t * grad + grad * t);
  sum += 2 * (t2 * grad + t * grad * t + grad * t2);
  sum += t3 * grad + t2 * grad * t + t * grad * t2 + grad * t3;
  return sum;
}

}  // namespace inlay
