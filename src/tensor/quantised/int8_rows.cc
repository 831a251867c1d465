#include "tensor/quantised/int8_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/quantised/block_rows.h"

namespace inlay::int8_rows {

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count()) +
         static_cast<std::size_t>(size.rows) * sizeof(float);
}

float scale_of(const QuantisedRows& rows, int64_t row) {
  const auto at = static_cast<std::size_t>(row) * sizeof(float);
  return scale_value<float>(rows.data + rows.size.count() + at);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for (int64_t r = rows.first; r < rows.last; ++r) {
    const float scale = scale_of(rows, r);
    const std::byte* src = rows.data + r * rows.size.columns;
    for (int64_t c = 0; c < rows.size.columns; ++c) {
      *dst++ = scale * static_cast<float>(static_cast<int8_t>(src[c]));
    }
  }
}

void quantise(const Tensor& weight, std::byte* dst) {
  std::byte* scales = dst + weight.count();
  const float limit = std::numeric_limits<float>::max();
  for_float_rows(weight, limit, [&](int64_t r, std::span<const float> row) {
    const float scale = largest_magnitude(row) / 127.0f;
    store_value(scales + r * static_cast<int64_t>(sizeof(float)), scale);
    std::byte* out = dst + r * weight.dim(1);
    for (float value : row) {
      const float steps = scale > 0 ? std::nearbyint(value / scale) : 0.0f;
      *out++ = static_cast<std::byte>(static_cast<int8_t>(std::clamp(steps, -127.0f, 127.0f)));
    }
  });
}

}  // namespace inlay::int8_rows
