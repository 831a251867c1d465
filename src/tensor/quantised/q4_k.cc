#include "tensor/quantised/q4_k.h"

#include "tensor/quantised/block_rows.h"

namespace inlay::q4_k {
namespace {

void dequantise_block(const std::byte* src, float* dst) {
  const Parts parts = parts_of(src);
  for (int64_t part = 0; part < kParts; ++part) {
    const auto at = static_cast<std::size_t>(part);
    const std::byte* steps = src + kSteps + part / 2 * kPart;
    for (int64_t i = 0; i < kPart; ++i) {
      const int both = static_cast<int>(steps[i]);
      const int step = part % 2 == 0 ? both & 15 : both >> 4;
      const float scaled = parts.scale[at] * static_cast<float>(step);
      dst[part * kPart + i] = scaled - parts.minimum[at];
    }
  }
}

}  // namespace

Parts parts_of(const std::byte* block) {
  const float scale = scale_value<Float16>(block);
  const float minimum = scale_value<Float16>(block + 2);
  const auto bits = [&](std::size_t i) { return static_cast<unsigned>(block[4 + i]); };
  Parts parts;
  for (std::size_t j = 0; j < 4; ++j) {
    parts.scale[j] = scale * static_cast<float>(bits(j) & 63u);
    parts.minimum[j] = minimum * static_cast<float>(bits(j + 4) & 63u);
    parts.scale[j + 4] = scale * static_cast<float>((bits(j + 8) & 15u) | bits(j) >> 6 << 4);
    parts.minimum[j + 4] = minimum * static_cast<float>(bits(j + 8) >> 4 | bits(j + 4) >> 6 << 4);
  }
  return parts;
}

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count() / kLength * kBytes);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for_blocks(rows, kLength, kBytes, dst, dequantise_block);
}

}  // namespace inlay::q4_k
