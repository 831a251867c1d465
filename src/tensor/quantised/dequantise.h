// The values of a part of a quantised matrix, by vector instructions: the bits that the format's
// reference gives, rounded to nearest even where bf16 is asked for. QuantisedMatrix checks and
// calls it.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/quantised/block_format.h"

namespace inlay::kernels {

// Columns [first, last) of `rows`, which may begin and end within a block.
// dst: (rows.last - rows.first, last - first), f32 or bf16.
struct QuantisedPart {
  QuantisedRows rows;
  int64_t first = 0, last = 0;
  bool as_bf16 = false;  // the f32 numbers are those that bf16 has
};
void dequantise(BlockFormat format, const QuantisedPart& part, Output dst);

}  // namespace inlay::kernels
