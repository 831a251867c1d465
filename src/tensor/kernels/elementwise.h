// Arithmetic on whole buffers. Every dst may have the address and type of an input.
//
//   add(x, residual, y, count);
//   lerp(base, adapted, gate, y, count);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

void add(Input a, Input b, Output dst, int64_t count);            // a + b
void multiply(Input a, Input b, Output dst, int64_t count);       // a * b
void scale(Input src, double factor, Output dst, int64_t count);  // factor * src
void add_in_place(Output dst, Input src, int64_t count);  // dst += src: one pair of a fixed tree
void axpy(double factor, Input src, Output dst, int64_t count);  // dst += factor * src
// base + gate * (adapted - base); gate 0 gives base and gate 1 gives adapted, bit for bit.
void lerp(Input base, Input adapted, double gate, Output dst, int64_t count);

// dst(r, :) = src(r, :) + bias.  src, dst: (rows, columns), bias: (columns).
void add_bias(Input src, Input bias, Output dst, int64_t rows, int64_t columns);

// dst(r, :) = factors * src(r, :).  src, dst: (rows, columns), factors: (columns).
void scale_columns(Input src, Input factors, Output dst, int64_t rows, int64_t columns);

}  // namespace inlay::kernels
