// Stretching of columns, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/rescale.h"

namespace inlay::kernels {

template <class T>
void rescale_reference(Input src, Input centre, Input gain, Output dst, int64_t rows,
                       int64_t columns) {
  for (int64_t i = 0; i < rows * columns; ++i) {
    T x = src.load<T>(i);
    T middle = centre ? centre.load<T>(i % columns) : T(0);
    dst.store(i, x + gain.load<T>(i % columns) * (x - middle));
  }
}

template <class T>
void rescale_gain_grad_reference(const RescaleGrad& args, Output dst) {
  for (int64_t c = 0; c < args.columns; ++c) {
    T middle = args.centre ? args.centre.load<T>(c) : T(0);
    T sum = 0;
    for (int64_t t = args.first; t < args.last; ++t) {
      int64_t i = t * args.columns + c;
      sum += args.grad.load<T>(i) * (args.src.load<T>(i) - middle);
    }
    dst.store(c, sum);
  }
}

}  // namespace inlay::kernels
