// The alphabet of byte-level tokenizers: every byte is written as one printable character, so that
// a vocabulary is ordinary text. Printable Latin-1 bytes stand for themselves, the others for
// U+0100 onwards (Radford et al. 2019).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::text {

char32_t byte_to_character(uint8_t byte);
std::optional<uint8_t> character_to_byte(char32_t c);

// How a space is written.
inline constexpr char32_t kByteLevelSpace = U'\u0120';

}  // namespace inlay::text
