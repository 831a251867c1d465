// Column sums, one column at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/column_sum.h"

namespace inlay::kernels {

template <class T>
void column_sum_reference(Input src, int64_t columns, int64_t first, int64_t last, Output dst) {
  for (int64_t c = 0; c < columns; ++c) {
    T sum = 0;
    for (int64_t t = first; t < last; ++t) sum += src.load<T>(t * columns + c);
    dst.store(c, sum);
  }
}

template <class T>
void column_dot_reference(Input a, Input b, int64_t columns, int64_t first, int64_t last,
                          Output dst) {
  for (int64_t c = 0; c < columns; ++c) {
    T sum = 0;
    for (int64_t t = first; t < last; ++t) {
      sum += a.load<T>(t * columns + c) * b.load<T>(t * columns + c);
    }
    dst.store(c, sum);
  }
}

}  // namespace inlay::kernels
