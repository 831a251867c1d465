// What the formats share: walking the blocks of rows, and a weight's rows as floats.
//
//   for_blocks(rows, q8_0::kLength, q8_0::kBytes, dst, dequantise_block);
//   for_float_rows(weight, limit, [&](int64_t r, std::span<const float> row) { ... });
#pragma once

#include <cstring>
#include <functional>
#include <limits>
#include <span>

#include "tensor/quantised/block_format.h"

namespace inlay {

// Calls body(src, dst) for every block of the rows, in order, where blocks lie one after another.
template <class Body>
void for_blocks(const QuantisedRows& rows, int64_t length, int64_t bytes, float* dst,
                const Body& body) {
  const int64_t per_row = rows.size.columns / length;
  const std::byte* src = rows.data + rows.first * per_row * bytes;
  for (int64_t block = (rows.last - rows.first) * per_row; block > 0; --block) {
    body(src, dst);
    src += bytes;
    dst += length;
  }
}

// Calls body(row number, values) for every row of a floating matrix, rows in parallel. kInput, with
// the row, for a magnitude above `limit` or a NaN; the bodies of such rows are not called.
void for_float_rows(const Tensor& weight, float limit,
                    const std::function<void(int64_t, std::span<const float>)>& body);

float largest_magnitude(std::span<const float> values);

template <class T>
T load_value(const std::byte* src) {
  T value;
  std::memcpy(&value, src, sizeof(T));
  return value;
}

// A scale as a float. A NaN, which only a damaged file has, becomes the one without a payload, so
// that its lower half is zero and rounding to bf16 needs no care for it.
template <class T>
float scale_value(const std::byte* src) {
  const auto value = static_cast<float>(load_value<T>(src));
  return value == value ? value : std::numeric_limits<float>::quiet_NaN();
}

template <class T>
void store_value(std::byte* dst, T value) {
  std::memcpy(dst, &value, sizeof(T));
}

}  // namespace inlay
