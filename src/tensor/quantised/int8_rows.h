// INT8: 8 bits, and one scale for a whole row, an output channel. Not a file format. A product with
// such a weight can be computed in integers and scaled at the end.
//
//   byte  0                            rows columns
//         | q: i8, (rows, columns)     | scales: f32, (rows) |
//
//   value (r, c) = scale_r q_rc,    scale_r = max |w_r| / 127
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::int8_rows {

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);
void quantise(const Tensor& weight, std::byte* dst);

float scale_of(const QuantisedRows& rows, int64_t row);

}  // namespace inlay::int8_rows
