// Q5_0 of ggml, reading only: 5 bits and one scale for 32 elements. Files of Q4_K hold it where 256
// does not divide a row.
//
//   byte  0  2        6                     22
//         | d | high | q0|q16 ... q15|q31 |     d: f16; high: u32; low half of a byte | high half
//
//   value i = d ((q_i | (high >> i & 1) << 4) - 16)
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::q5_0 {

inline constexpr int64_t kLength = 32;
inline constexpr int64_t kBytes = 22;
inline constexpr int64_t kHigh = 2, kSteps = 6;  // bytes where the parts of a block begin

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);

}  // namespace inlay::q5_0
