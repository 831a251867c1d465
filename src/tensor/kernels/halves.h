// Sums and differences of the two halves of every block of channels, and back.
//
//   combine_halves({x, rows, channels, block, scale}, +1, sums);    sums_i = scale (x_i1 + x_i2)
//   spread_halves(sums, differences, {rows, channels, block, scale}, y);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct Halves {
  int64_t rows = 0;
  int64_t channels = 0;  // of both halves together
  int64_t block = 0;     // even, divides channels
  double scale = 1;
};

// dst (rows, channels / 2): for each block scale (first half + sign * second half), sign 1 or -1.
// Parallel.
void combine_halves(Input src, double sign, const Halves& halves, Output dst);

// dst (rows, channels): for each block scale (sums + differences), then scale (sums - differences);
// an absent operand is zero, not both. Parallel.
void spread_halves(Input sums, Input differences, const Halves& halves, Output dst);

}  // namespace inlay::kernels
