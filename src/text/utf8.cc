#include "text/utf8.h"

#include <unicode/utf8.h>

#include <algorithm>

namespace inlay::text {
namespace {

// Advances over one character or one ill-formed sequence; negative for the latter.
UChar32 next_code(std::string_view bytes, std::size_t& at) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  UChar32 code;
  U8_NEXT(data, at, bytes.size(), code);
  return code;
}

}  // namespace

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool is_ascii(std::string_view text) {
  uint8_t seen = 0;
  for (char c : text) seen |= static_cast<uint8_t>(c);
  return seen < 0x80;
}

std::size_t count_utf8_chars(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::optional<std::size_t> first_invalid_utf8(std::string_view bytes) {
  if (is_ascii(bytes)) return std::nullopt;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t start = at;
    if (next_code(bytes, at) < 0) return start;
  }
  return std::nullopt;
}

std::size_t incomplete_utf8_tail(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(3, bytes.size()); ++length) {
    const std::string_view tail = bytes.substr(bytes.size() - length);
    const auto lead = static_cast<uint8_t>(tail[0]);
    if ((lead & 0xC0) == 0x80) continue;
    // Completed by continuation bytes it is one character, or else it never will be one.
    if (lead < 0xC0 || first_invalid_utf8(tail) != std::optional<std::size_t>(0)) return 0;
    for (const std::string_view rest :
         {"\x80", "\xBF", "\x80\x80", "\xBF\x80", "\x80\x80\x80", "\xBF\x80\x80"}) {
      if (!first_invalid_utf8(std::string(tail).append(rest))) return length;
    }
    return 0;
  }
  return 0;
}

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const UChar32 code = next_code(bytes, at);
    append_utf8(out, code < 0 ? U'\uFFFD' : static_cast<char32_t>(code));
  }
  return out;
}

}  // namespace inlay::text
