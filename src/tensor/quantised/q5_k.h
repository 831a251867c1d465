// Q5_K of ggml, reading only: Q4_K (q4_k.h) with a fifth bit for each element.
//
//   byte  0   2      4            16              48                 176
//         | d | dmin | 12 scales  | 32 bytes high | 4 x 32 bytes of q |
//
// Bit j of byte i of `high` belongs to element i of part j.
//
//   value = (d scale) (q | bit << 4) - (dmin minimum)
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::q5_k {

inline constexpr int64_t kLength = 256;
inline constexpr int64_t kBytes = 176;
inline constexpr int64_t kHigh = 16, kSteps = 48;  // bytes where the parts of a block begin

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);

}  // namespace inlay::q5_k
