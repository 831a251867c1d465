// Arithmetic on buffers, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/elementwise.h"

namespace inlay::kernels {

template <class T>
void add_reference(Input a, Input b, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dst.store(i, a.load<T>(i) + b.load<T>(i));
}

template <class T>
void multiply_reference(Input a, Input b, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dst.store(i, a.load<T>(i) * b.load<T>(i));
}

template <class T>
void scale_reference(Input src, double factor, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dst.store(i, static_cast<T>(factor) * src.load<T>(i));
}

template <class T>
void axpy_reference(double factor, Input src, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    dst.store(i, Input(dst).load<T>(i) + static_cast<T>(factor) * src.load<T>(i));
  }
}

template <class T>
void lerp_reference(Input base, Input adapted, double gate, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const T b = base.load<T>(i), a = adapted.load<T>(i);
    dst.store(i, gate == 0.0 ? b : gate == 1.0 ? a : b + static_cast<T>(gate) * (a - b));
  }
}

template <class T>
void add_bias_reference(Input src, Input bias, Output dst, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      dst.store(r * columns + c, src.load<T>(r * columns + c) + bias.load<T>(c));
    }
  }
}

template <class T>
void scale_columns_reference(Input src, Input factors, Output dst, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      dst.store(r * columns + c, src.load<T>(r * columns + c) * factors.load<T>(c));
    }
  }
}

}  // namespace inlay::kernels
