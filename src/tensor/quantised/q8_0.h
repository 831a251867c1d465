// Q8_0 of ggml: 8 bits and one scale for 32 elements.
//
//   byte  0  2                                   34
//         | d | q0 q1 q2 ...                 q31 |     d: f16, q: i8
//
//   value i = d q_i
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::q8_0 {

inline constexpr int64_t kLength = 32;
inline constexpr int64_t kBytes = 34;

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);
// d = max |w| / 127, rounded to f16; q to nearest.
void quantise(const Tensor& weight, std::byte* dst);

}  // namespace inlay::q8_0
