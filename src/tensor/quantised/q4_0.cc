#include "tensor/quantised/q4_0.h"

#include <algorithm>
#include <cmath>

#include "tensor/quantised/block_rows.h"

namespace inlay::q4_0 {
namespace {

constexpr float kLargestHalf = 65504.0f;
constexpr int64_t kHalf = kLength / 2;

void dequantise_block(const std::byte* src, float* dst) {
  const float scale = scale_value<Float16>(src);
  for (int64_t i = 0; i < kHalf; ++i) {
    const int both = static_cast<int>(src[2 + i]);
    dst[i] = scale * static_cast<float>((both & 15) - 8);
    dst[i + kHalf] = scale * static_cast<float>((both >> 4) - 8);
  }
}

int steps_of(float value, float scale) {
  const float steps = scale != 0 ? std::nearbyint(value / scale) : 0.0f;
  return static_cast<int>(std::clamp(steps, -8.0f, 7.0f)) + 8;
}

void quantise_block(std::span<const float> src, std::byte* dst) {
  const float extreme = *std::max_element(
      src.begin(), src.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  const Float16 stored(extreme / -8.0f);
  const float scale = static_cast<float>(stored);
  store_value(dst, stored);
  for (int64_t i = 0; i < kHalf; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int low = steps_of(src[at], scale), high = steps_of(src[at + kHalf], scale);
    dst[2 + i] = static_cast<std::byte>(low | high << 4);
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
  for_float_rows(weight, 8.0f * kLargestHalf, [&](int64_t r, std::span<const float> row) {
    std::byte* block = dst + r * weight.dim(1) / kLength * kBytes;
    for (std::size_t c = 0; c < row.size(); c += kLength, block += kBytes) {
      quantise_block(row.subspan(c, kLength), block);
    }
  });
}

}  // namespace inlay::q4_0
