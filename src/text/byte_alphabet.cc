#include "text/byte_alphabet.h"

#include <array>

namespace inlay::text {
namespace {

constexpr bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> make_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    characters[static_cast<std::size_t>(byte)] =
        stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return characters;
}

constexpr auto kCharacters = make_characters();

constexpr std::array<int16_t, 0x144> make_bytes() {
  std::array<int16_t, 0x144> bytes{};
  for (auto& byte : bytes) byte = -1;
  for (std::size_t byte = 0; byte < 256; ++byte)
    bytes[kCharacters[byte]] = static_cast<int16_t>(byte);
  return bytes;
}

constexpr auto kByteOf = make_bytes();

}  // namespace

char32_t byte_to_character(uint8_t byte) { return kCharacters[byte]; }

std::optional<uint8_t> character_to_byte(char32_t c) {
  if (c >= kByteOf.size() || kByteOf[c] < 0) return std::nullopt;
  return static_cast<uint8_t>(kByteOf[c]);
}

}  // namespace inlay::text
