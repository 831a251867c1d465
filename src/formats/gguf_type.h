// The element types of tensors in GGUF files, by ggml's numbers: plain ones, and blocks of a row
// that share scales. The table knows the size of all, so that every file can be listed; which of
// them can be computed with is said by `dtype` and `format`.
//
//   const GgufType* type = find_gguf_type(12);   // "Q4_K": blocks of 256 in 144 bytes
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.h"
#include "tensor/quantised/block_format.h"

namespace inlay {

struct GgufType {
  uint32_t id;
  std::string_view name;
  int64_t block_length;  // elements of a row in one block
  int64_t block_bytes;
  std::optional<DType> dtype;         // what Tensor holds it as
  std::optional<BlockFormat> format;  // what QuantisedMatrix holds it as
};

// Null for numbers that ggml does not use or no longer uses.
const GgufType* find_gguf_type(uint32_t id);
const GgufType* find_gguf_type(DType dtype);
const GgufType* find_gguf_type(BlockFormat format);

}  // namespace inlay
