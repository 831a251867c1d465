// NF4 with double quantisation (Dettmers et al. 2023, QLoRA, arXiv:2305.14314, section 3): each
// element is one of 16 quantiles of the normal distribution, scaled by the largest magnitude of its
// block of 64; these magnitudes less their mean are kept in 8 bits, scaled by the largest of a
// group of 256 blocks. 4.127 bits an element. Not a file format.
//
//   | q: count / 2 bytes | codes: count / 64 bytes | group scales: f32 | mean: f32 |
//
// q: of block b, byte i of [32 b, 32 b + 32) holds element i in its low half and element i + 32 in
// its high one. Blocks are numbered through the rows, and so are groups.
//
//   magnitude_b = kCodes[code_b] group_(b / 256) + mean
//   value = kValues[q] magnitude_b
#pragma once

#include <array>

#include "tensor/quantised/block_format.h"

namespace inlay::nf4 {

inline constexpr int64_t kLength = 64;
inline constexpr int64_t kGroup = 256;  // blocks that share a scale of their magnitudes

// The 16 quantiles: 0 and the largest magnitude are exact, 8 above zero and 7 below (the values
// that QLoRA published).
inline constexpr std::array<float, 16> kValues = {-1.0f,
                                                  -0.6961928009986877f,
                                                  -0.5250730514526367f,
                                                  -0.39491748809814453f,
                                                  -0.28444138169288635f,
                                                  -0.18477343022823334f,
                                                  -0.09105003625154495f,
                                                  0.0f,
                                                  0.07958029955625534f,
                                                  0.16093020141124725f,
                                                  0.24611230194568634f,
                                                  0.33791524171829224f,
                                                  0.44070982933044434f,
                                                  0.5626170039176941f,
                                                  0.7229568362236023f,
                                                  1.0f};

// The 8-bit numbers of the second quantisation, ascending (Dettmers 2016, arXiv:1511.04561: the
// dynamic tree type, with linear steps in each of seven decades): fine around zero, so that one
// block with a large magnitude does not spoil its group.
const std::array<float, 256>& codes();

// Where the parts of a matrix begin.
struct Layout {
  explicit Layout(MatrixSize size);
  int64_t blocks, groups;
  int64_t codes, scales, mean;  // bytes; q begins at 0
};

// The magnitude of block b of a matrix that begins at `data`.
float magnitude(const std::byte* data, const Layout& layout, int64_t b);

std::size_t byte_count(MatrixSize size);
void dequantise(const QuantisedRows& rows, float* dst);
void quantise(const Tensor& weight, std::byte* dst);

}  // namespace inlay::nf4
