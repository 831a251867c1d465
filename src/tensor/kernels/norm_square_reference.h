// The sum of squares in one plain loop.
#pragma once

#include "tensor/kernels/norm_square.h"

namespace inlay::kernels {

inline double norm_square_reference(Input src, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += src.load<double>(i) * src.load<double>(i);
  return sum;
}

}  // namespace inlay::kernels
