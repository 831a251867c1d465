// Sums and differences of halves, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/halves.h"

namespace inlay::kernels {

template <class T>
void combine_halves_reference(Input src, double sign, const Halves& halves, Output dst) {
  int64_t half = halves.block / 2;
  for (int64_t i = 0; i < halves.rows * halves.channels / 2; ++i) {
    int64_t first = i / half * halves.block + i % half;
    dst.store(i, static_cast<T>(halves.scale) *
                     (src.load<T>(first) + static_cast<T>(sign) * src.load<T>(first + half)));
  }
}

template <class T>
void spread_halves_reference(Input sums, Input differences, const Halves& halves, Output dst) {
  int64_t half = halves.block / 2;
  for (int64_t i = 0; i < halves.rows * halves.channels / 2; ++i) {
    T sum = sums ? sums.load<T>(i) : T(0), difference = differences ? differences.load<T>(i) : T(0);
    int64_t first = i / half * halves.block + i % half;
    dst.store(first, static_cast<T>(halves.scale) * (sum + difference));
    dst.store(first + half, static_cast<T>(halves.scale) * (sum - difference));
  }
}

}  // namespace inlay::kernels
