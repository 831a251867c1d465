#include "tensor/quantised/q8_0.h"

#include <algorithm>
#include <cmath>

#include "tensor/quantised/block_rows.h"

namespace inlay::q8_0 {
namespace {

constexpr float kLargestHalf = 65504.0f;

void dequantise_block(const std::byte* src, float* dst) {
  const float scale = scale_value<Float16>(src);
  for (int64_t i = 0; i < kLength; ++i) {
    dst[i] = scale * static_cast<float>(static_cast<int8_t>(src[2 + i]));
  }
}

void quantise_block(std::span<const float> src, std::byte* dst) {
  const Float16 stored(largest_magnitude(src) / 127.0f);
  const float scale = static_cast<float>(stored);
  store_value(dst, stored);
  for (std::size_t i = 0; i < src.size(); ++i) {
    const float steps = scale > 0 ? std::nearbyint(src[i] / scale) : 0.0f;
    dst[2 + i] = static_cast<std::byte>(static_cast<int8_t>(std::clamp(steps, -127.0f, 127.0f)));
  }
}

}  // namespace

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count() / kLength * kBytes);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for_blocks(rows, kLength, kBytes, dst, dequantise_block);
}

void quantise(const Tensor& weight, std::byte* dst) {
  for_float_rows(weight, 127.0f * kLargestHalf, [&](int64_t r, std::span<const float> row) {
    std::byte* block = dst + r * weight.dim(1) / kLength * kBytes;
    for (std::size_t c = 0; c < row.size(); c += kLength, block += kBytes) {
      quantise_block(row.subspan(c, kLength), block);
    }
  });
}

}  // namespace inlay::q8_0
