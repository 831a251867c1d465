// The tokens <0x00> to <0xFF> that stand for bytes of characters that a vocabulary lacks.
#pragma once

#include <array>
#include <cstdint>

#include "text/vocabulary.h"

namespace inlay::text {

// Ids by byte, -1 where there is none.
using ByteTokens = std::array<int32_t, 256>;

inline ByteTokens no_byte_tokens() {
  ByteTokens ids;
  ids.fill(-1);
  return ids;
}

inline ByteTokens read_byte_tokens(const Vocabulary& vocabulary) {
  ByteTokens ids;
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    ids[byte] = vocabulary.id(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  }
  return ids;
}

}  // namespace inlay::text
