// The header of a safetensors file: read without trusting a byte of it. Use SafetensorsFile
// (safetensors.h) unless the table itself is what is wanted.
//
//   [u64 N, little-endian][N bytes of JSON, UTF-8][data]
//
// The tensors tile the data section: sorted by offset, the first begins at 0, each begins where the
// one before ended, and the last ends where the file ends. So nothing can hide between or behind
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace inlay {

// One tensor of the table. `dtype` is empty for types that files may hold but no Tensor can
// (F8_E4M3, C64, ...).
struct SafetensorsEntry {
  std::string name;
  std::string_view dtype_name;  // as in the file; static storage
  std::optional<DType> dtype;
  std::vector<int64_t> sizes;  // outermost first; may be longer than Shape allows
  uint64_t begin = 0;          // byte range within the data section
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // by offset
  std::map<std::string, std::string> metadata;
  uint64_t data_begin = 0;  // where the data section starts in the file
};

// Parses and checks everything; `where` names the file in messages. Allocates in proportion to the
// header only.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, std::string_view where);

}  // namespace inlay
