// Q4_K of ggml, reading only: 4 bits for 256 elements, cut into 8 parts of 32 with a scale and a
// minimum of 6 bits each, themselves scaled by two halves.
//
//   byte  0   2      4            16                             144
//         | d | dmin | 12 scales  | 4 x 32 bytes of q            |
//
// q: bytes [32 p, 32 p + 32) hold part 2 p in their low halves and part 2 p + 1 in their high ones.
// Scales, with b the 12 bytes:
//
//   part j < 4:   scale   = b[j] & 63
//                 minimum = b[j + 4] & 63
//   part j >= 4:  scale   = b[j + 4] & 15 | b[j - 4] >> 6 << 4
//                 minimum = b[j + 4] >> 4 | b[j] >> 6 << 4
//
//   value = (d scale) q - (dmin minimum)
#pragma once

#include <array>

#include "tensor/quantised/block_format.h"

namespace inlay::q4_k {

inline constexpr int64_t kLength = 256;
inline constexpr int64_t kBytes = 144;
inline constexpr int64_t kParts = 8;
inline constexpr int64_t kPart = 32;   // elements of a part
inline constexpr int64_t kSteps = 16;  // the byte where q begins

// What is subtracted and what q is multiplied by, for each part of a block.
struct Parts {
  std::array<float, kParts> scale;
  std::array<float, kParts> minimum;
};
Parts parts_of(const std::byte* block);

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);

}  // namespace inlay::q4_k
