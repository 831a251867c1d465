#include "tensor/quantised/q6_k.h"

#include "tensor/quantised/block_rows.h"

namespace inlay::q6_k {
namespace {

void dequantise_block(const std::byte* src, float* dst) {
  const float scale = scale_value<Float16>(src + kScale);
  for (int64_t e = 0; e < kLength; ++e) {
    const int64_t half = e / 128, k = e % 128 / 32, i = e % 32;
    const int low = static_cast<int>(src[half * 64 + k % 2 * 32 + i]) >> (k / 2 * 4) & 15;
    const int high = static_cast<int>(src[kHigh + half * 32 + i]) >> (2 * k) & 3;
    const auto part = static_cast<int8_t>(src[kScales + e / 16]);
    const float part_scale = scale * static_cast<float>(part);
    dst[e] = part_scale * static_cast<float>((low | high << 4) - 32);
  }
}

}  // namespace

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count() / kLength * kBytes);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for_blocks(rows, kLength, kBytes, dst, dequantise_block);
}

}  // namespace inlay::q6_k
