// The values of some rows of a quantised matrix, by vector instructions: the bits that the format's
// reference gives, rounded to nearest even where bf16 is asked for. QuantisedMatrix checks and
// calls it.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/quantised/block_format.h"

namespace inlay::kernels {

// dst: (last - first, columns), f32 or bf16.
void dequantise(BlockFormat format, const QuantisedRows& rows, Output dst);

}  // namespace inlay::kernels
