// Weighted sums of rows, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/row_mixture.h"

namespace inlay::kernels {

template <class T>
void mix_rows_reference(const MixedRows& args, Input src, Output dst) {
  const int64_t channels = args.channels, outputs = args.mixture.rows();
  for (int64_t row = 0; row < args.maps * outputs; ++row) {
    const int64_t from = row / outputs * args.inputs;
    for (int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (const RowRead& one : args.mixture.of(row % outputs))
        sum += static_cast<T>(one.weight) * src.load<T>((from + one.row) * channels + c);
      dst.store(row * channels + c, sum);
    }
  }
}

}  // namespace inlay::kernels
