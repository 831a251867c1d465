// Losses against real-valued targets, one element at a time, computed in T (float or double).
#pragma once

#include <algorithm>
#include <cmath>

#include "tensor/kernels/binary_losses.h"

namespace inlay::kernels {

template <class T>
void bce_with_logits_forward_reference(Input src, Input targets, int64_t rows, int64_t columns,
                                       Output loss) {
  for (int64_t r = 0; r < rows; ++r) {
    T sum = 0;
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i) {
      const T x = src.load<T>(i);
      sum += std::max(x, T{0}) - x * targets.load<T>(i) + std::log1p(std::exp(-std::abs(x)));
    }
    loss.store(r, sum);
  }
}

template <class T>
void bce_with_logits_backward_reference(Input src, Input targets, double scale, Output grad_src,
                                        int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const T p = T{1} / (T{1} + std::exp(-src.load<T>(i)));
    grad_src.store(i, static_cast<T>(scale) * (p - targets.load<T>(i)));
  }
}

template <class T>
void squared_error_forward_reference(Input src, Input targets, int64_t rows, int64_t columns,
                                     Output loss) {
  for (int64_t r = 0; r < rows; ++r) {
    T sum = 0;
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i) {
      const T error = src.load<T>(i) - targets.load<T>(i);
      sum += error * error;
    }
    loss.store(r, sum);
  }
}

template <class T>
void squared_error_backward_reference(Input src, Input targets, double scale, Output grad_src,
                                      int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    grad_src.store(i, static_cast<T>(2 * scale) * (src.load<T>(i) - targets.load<T>(i)));
  }
}

}  // namespace inlay::kernels
