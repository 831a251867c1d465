#include "tensor/quantised/q5_0.h"

#include "tensor/quantised/block_rows.h"

namespace inlay::q5_0 {
namespace {

void dequantise_block(const std::byte* src, float* dst) {
  const float scale = scale_value<Float16>(src);
  const auto high = load_value<uint32_t>(src + kHigh);
  for (int64_t i = 0; i < kLength; ++i) {
    const int both = static_cast<int>(src[kSteps + i % 16]);
    const int low = i < 16 ? both & 15 : both >> 4;
    const int top = static_cast<int>(high >> i & 1u);
    dst[i] = scale * static_cast<float>((low | top << 4) - 16);
  }
}

}  // namespace

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count() / kLength * kBytes);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for_blocks(rows, kLength, kBytes, dst, dequantise_block);
}

}  // namespace inlay::q5_0
