// A matrix turned, whatever its elements are.
#pragma once

#include "tensor/tensor.h"

namespace inlay {

// A copy with rows and columns exchanged: (rows, columns) -> (columns, rows). REQUIRES: rank 2.
Tensor transposed(const Tensor& matrix);

}  // namespace inlay
