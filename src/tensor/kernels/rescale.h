// Columns stretched about a centre, as a weight's rows are when their lengths are learned (DoRA).
//
//   rescale(x, bias, gain, y, rows, columns);     y(r, c) = x(r, c) + gain(c) (x(r, c) - bias(c))
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// src, dst: (rows, columns); centre, gain: (columns), centre may be absent. A gain of 0 gives src,
// bit for bit. dst may have the address and type of src.
void rescale(Input src, Input centre, Input gain, Output dst, int64_t rows, int64_t columns);

// dst(c) = sum of grad(t, c) (src(t, c) - centre(c)) over rows [first, last), added in row order:
// the gradient of a gain over one chunk. Single-threaded, so that chunks can run in parallel.
struct RescaleGrad {
  Input grad, src;  // (rows, columns)
  Input centre;     // (columns), may be absent
  int64_t columns = 0;
  int64_t first = 0, last = 0;
};
void rescale_gain_grad(const RescaleGrad& args, Output dst);

}  // namespace inlay::kernels
