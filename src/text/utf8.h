// UTF-8 as bytes: check text from outside once with first_invalid_utf8, then walk it with
// decode_utf8.
//
//   for (std::size_t at = 0; at < text.size();) {
//     Utf8Char c = decode_utf8(text, at);
//     at += c.length;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inlay::text {

struct Utf8Char {
  char32_t code;
  std::size_t length;  // in bytes, 1 to 4
};

// REQUIRES: text is valid UTF-8 and a character begins at byte `at`.
inline Utf8Char decode_utf8(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
  if (lead < 0xF0) return {(lead & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3};
  return {
      (lead & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu),
      4};
}

// Byte position of the character before byte `at`. REQUIRES: at > 0, valid UTF-8.
inline std::size_t previous_utf8(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80);
  return at;
}

void append_utf8(std::string& out, char32_t code);
bool is_ascii(std::string_view text);
std::size_t count_utf8_chars(std::string_view text);  // REQUIRES: valid UTF-8

// Where the first byte that is not part of well-formed UTF-8 stands; nothing when all is well.
std::optional<std::size_t> first_invalid_utf8(std::string_view bytes);

// How many bytes at the end begin a character that further bytes could complete: 0 to 3.
std::size_t incomplete_utf8_tail(std::string_view bytes);

// Every ill-formed sequence becomes one U+FFFD, as browsers do.
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace inlay::text
