// Q6_K of ggml, reading only: 6 bits for 256 elements, cut into 16 parts of 16 with a scale of 8
// bits each, themselves scaled by a half.
//
//   byte  0               128             192       208 210
//         | 128 low bits  | 64 high bits  | 16 i8   | d |     d: f16
//
// Each half of the block, 128 elements, has 64 bytes l of low bits, 32 bytes h of high bits and 8
// scales. Its element 32 k + i, with k = 0..3, is
//
//   low  = (k < 2 ? l[32 k + i] & 15 : l[32 (k - 2) + i] >> 4)
//   high = h[i] >> 2 k & 3
//   value = (d scale[2 k + i / 16]) ((low | high << 4) - 32)
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::q6_k {

inline constexpr int64_t kLength = 256;
inline constexpr int64_t kBytes = 210;
// Where the parts of a block begin.
inline constexpr int64_t kHigh = 128, kScales = 192, kScale = 208;

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);

}  // namespace inlay::q6_k
