// The replacements of a SentencePiece normalizer, compiled: strings of bytes and what each becomes.
// The format is that of sentencepiece's normalizer_spec.precompiled_charsmap:
//
//   u32 n | a double array of n / 4 u32 units | replacements in UTF-8, each ended by a zero byte
//
// A unit (Yata's darts-clone) holds a label in its low byte, bit 8 for "a value stands here", and
// the offset to its children in the bits from 10 on, times 256 if bit 9 is set. Values are offsets
// into the replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::text {

class Charsmap {
 public:
  // Bytes that are not a charsmap are an Error that names `place`.
  Charsmap(std::string_view bytes, std::string place);

  // What the shortest string that begins `text` becomes; nothing when none does.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  std::string_view replacement(uint32_t at) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  std::string place_;
};

}  // namespace inlay::text
