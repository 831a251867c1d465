// The ways in which a weight matrix is stored in fewer bits: a row is cut into blocks, and the
// elements of a block share a scale. Each format is a file of its own that draws its layout; this
// is the table of all.
//
//   const BlockFormatInfo& info = block_format_info(BlockFormat::kQ80);
//   info.byte_count({.rows = 768, .columns = 3072});
//
// QuantisedMatrix (quantised_matrix.h) is what the rest of the library uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tensor/tensor.h"

namespace inlay {

enum class BlockFormat : uint8_t { kQ80, kQ40, kQ50, kQ4K, kQ5K, kQ6K, kInt8Rows, kNf4 };

struct MatrixSize {
  int64_t rows = 0;     // outputs
  int64_t columns = 0;  // inputs
  int64_t count() const { return rows * columns; }
};

// The bytes of a matrix in some format, and rows [first, last) of it.
struct QuantisedRows {
  const std::byte* data = nullptr;
  MatrixSize size;
  int64_t first = 0, last = 0;
};

struct BlockFormatInfo {
  BlockFormat format;
  std::string_view name;     // "Q8_0"
  std::string_view summary;  // one line
  int64_t block_length;      // divides the number of columns
  std::size_t (*byte_count)(MatrixSize size);
  // The exact reference: dst is (last - first, columns).
  void (*dequantise)(const QuantisedRows& rows, float* dst);
  // weight: (rows, columns), floating. Null where the format is only read. kInput for a number that
  // is not finite or too large for the scale.
  void (*quantise)(const Tensor& weight, std::byte* dst);
};

std::span<const BlockFormatInfo> block_formats();
const BlockFormatInfo& block_format_info(BlockFormat format);
std::optional<BlockFormat> block_format_from_name(std::string_view name);

}  // namespace inlay
