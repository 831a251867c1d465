// The header of a GGUF file: read without trusting a byte of it. Use GgufFile (gguf.h) unless the
// table itself is what is wanted. Little-endian, versions 2 and 3, which differ in nothing read
// here (facts: the GGUF specification and gguf.cpp of llama.cpp):
//
//   "GGUF" | u32 version | i64 tensors | i64 entries
//   entries:  string key | u32 type | value           string = u64 length, bytes
//             an array is u32 element type | u64 count | values
//   tensors:  string name | u32 rank | i64 sizes, innermost first | u32 type | u64 offset
//   zeros up to the alignment | data: each tensor begins where the one before, padded, ended
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_metadata.h"
#include "formats/gguf_type.h"

namespace inlay {

inline constexpr std::size_t kMaxGgufKey = 65535;
inline constexpr std::size_t kMaxGgufName = 63;  // ggml keeps names in 64 bytes, a zero the last
inline constexpr uint32_t kMaxGgufRank = 4;

struct GgufTensorInfo {
  std::string name;
  const GgufType* type = nullptr;
  std::vector<int64_t> sizes;  // outermost first: the file's order reversed
  uint64_t begin = 0;          // byte range within the data section
  uint64_t end = 0;
};

struct GgufHeader {
  uint32_t version = 0;
  GgufMetadata metadata;
  std::vector<GgufTensorInfo> tensors;  // by offset, which is the order of the file
  uint64_t data_begin = 0;              // where the data section starts in the file
};

// Parses and checks everything; `where` names the file in messages. Allocates in proportion to the
// header only: every count is held against the bytes that are left before anything is reserved.
GgufHeader parse_gguf_header(std::span<const std::byte> file, std::string_view where);

// The place of the first byte that is not UTF-8 (surrogates and overlong forms are not), or npos.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace inlay
