// Softmax as its definition reads, computed in T (float or double).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/kernels/softmax.h"

namespace inlay::kernels {

template <class T>
void softmax_forward_reference(Input src, Output dst, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    auto x = [&](int64_t c) { return src.load<T>(r * columns + c); };
    T largest = -std::numeric_limits<T>::infinity();
    for (int64_t c = 0; c < columns; ++c) largest = std::max(largest, x(c));
    if (largest == -std::numeric_limits<T>::infinity()) largest = 0;
    T sum = 0;
    for (int64_t c = 0; c < columns; ++c) sum += std::exp(x(c) - largest);
    const T inverse = sum > 0 ? T{1} / sum : T{0};
    for (int64_t c = 0; c < columns; ++c) {
      dst.store(r * columns + c, std::exp(x(c) - largest) * inverse);
    }
  }
}

template <class T>
void softmax_backward_reference(Input dst, Input grad_dst, Output grad_src, int64_t rows,
                                int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    T dot = 0;
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i) {
      dot += dst.load<T>(i) * grad_dst.load<T>(i);
    }
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i) {
      grad_src.store(i, dst.load<T>(i) * (grad_dst.load<T>(i) - dot));
    }
  }
}

}  // namespace inlay::kernels
