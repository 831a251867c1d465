// Tensors of two dimensions as Eigen matrices, for the small dense algebra of adapters: factors,
// rotations, decompositions. Eigen runs on one thread here, so its sums do not depend on how many
// there are.
//
//   with_real(a.dtype(), [&](auto zero) {
//     using T = decltype(zero);
//     matrix<T>(product).noalias() = const_matrix<T>(b) * const_matrix<T>(a);
//   });
#pragma once

#include <Eigen/Core>

#include "tensor/tensor.h"

namespace inlay {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// REQUIRES: rank 2 and elements of type T; a vector is seen as one row.
template <class T>
Eigen::Map<RowMajor<T>> matrix(Tensor& tensor) {
  int64_t rows = tensor.shape().rank() == 1 ? 1 : tensor.dim(0);
  return {tensor.mutable_data<T>(), rows, rows == 0 ? 0 : tensor.count() / rows};
}
template <class T>
Eigen::Map<const RowMajor<T>> const_matrix(const Tensor& tensor) {
  int64_t rows = tensor.shape().rank() == 1 ? 1 : tensor.dim(0);
  return {tensor.data<T>(), rows, rows == 0 ? 0 : tensor.count() / rows};
}

// Calls `body` with a zero of the C++ type of a real dtype.
template <class Body>
auto with_real(DType dtype, const Body& body) {
  ensure(dtype == DType::kF32 || dtype == DType::kF64, "{} where F32 or F64 is expected",
         dtype_name(dtype));
  return dtype == DType::kF64 ? body(double{}) : body(float{});
}

}  // namespace inlay
