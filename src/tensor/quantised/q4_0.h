// Q4_0 of ggml: 4 bits and one scale for 32 elements.
//
//   byte  0  2                     18
//         | d | q0|q16 ... q15|q31 |     d: f16; low half of a byte | high half
//
//   value i = d (q_i - 8)
#pragma once

#include "tensor/quantised/block_format.h"

namespace inlay::q4_0 {

inline constexpr int64_t kLength = 32;
inline constexpr int64_t kBytes = 18;

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);
// The element of largest magnitude is made -8 d, since the steps reach one further below zero; d is
// rounded to f16, q to nearest.
void quantise(const Tensor& weight, std::byte* dst);

}  // namespace inlay::q4_0
