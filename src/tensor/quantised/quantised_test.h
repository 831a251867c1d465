// Matrices in any block format for tests of what uses them, with finite elements of about a tenth:
// quantised where the format can be, of drawn bytes with a chosen scale elsewhere.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/random.h"
#include "tensor/quantised/block_rows.h"
#include "tensor/quantised/q4_k.h"
#include "tensor/quantised/q5_0.h"
#include "tensor/quantised/q5_k.h"
#include "tensor/quantised/q6_k.h"
#include "tensor/quantised/quantised_matrix.h"

namespace inlay {

// Where the halves of a block of a format that is only read are.
struct BlockScales {
  int64_t bytes;  // of a block
  std::vector<int64_t> halves;
  float value;
};
inline BlockScales scales_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ50:
      return {q5_0::kBytes, {0}, 0.01f};
    case BlockFormat::kQ4K:
      return {q4_k::kBytes, {0, 2}, 0.0003f};
    case BlockFormat::kQ5K:
      return {q5_k::kBytes, {0, 2}, 0.00015f};
    default:
      return {q6_k::kBytes, {q6_k::kScale}, 0.00005f};
  }
}

// `columns` is a multiple of the format's block length.
inline QuantisedMatrix drawn_matrix(BlockFormat format, int64_t rows, int64_t columns) {
  Stream stream(5, "quantised");
  if (block_format_info(format).quantise != nullptr) {
    Tensor weight = Tensor::empty({rows, columns}, DType::kF32);
    for (int64_t i = 0; i < weight.count(); ++i)
      weight.mutable_data<float>()[i] = 0.1f * stream.normal(static_cast<uint64_t>(i));
    return QuantisedMatrix::quantise(weight, format);
  }
  const std::size_t count = block_format_info(format).byte_count({rows, columns});
  auto bytes = std::make_shared<std::vector<std::byte>>(count);
  for (std::size_t i = 0; i < count; ++i)
    (*bytes)[i] = static_cast<std::byte>(static_cast<uint8_t>(stream.uniform(i) * 256.0));
  const BlockScales scales = scales_of(format);
  for (std::size_t block = 0; block < count; block += static_cast<std::size_t>(scales.bytes)) {
    for (int64_t at : scales.halves) store_value(bytes->data() + block + at, Float16(scales.value));
  }
  return QuantisedMatrix::borrow(format, {rows, columns}, *bytes, bytes);
}

}  // namespace inlay
