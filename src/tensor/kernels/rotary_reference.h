// Rotary positions, one pair of channels at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/rotary.h"

namespace inlay::kernels {

template <class T>
void rotary_reference(const Rotary& args, Input src, Output dst) {
  int64_t half = args.turned / 2;
  for (int64_t block = 0; block < args.rows * args.heads; ++block) {
    int64_t start = block * args.head_dim, table = args.positions[block / args.heads] * half;
    for (int64_t i = 0; i < half; ++i) {
      T a = src.load<T>(start + i), b = src.load<T>(start + half + i);
      T cosine = args.cosine.load<T>(table + i), sine = args.sine.load<T>(table + i);
      if (args.inverse) sine = -sine;
      dst.store(start + i, a * cosine - b * sine);
      dst.store(start + half + i, b * cosine + a * sine);
    }
    for (int64_t i = args.turned; i < args.head_dim; ++i)
      dst.store(start + i, src.load<T>(start + i));
  }
}

}  // namespace inlay::kernels
