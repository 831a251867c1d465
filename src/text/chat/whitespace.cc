#include "text/chat/whitespace.h"

#include "text/unicode.h"
#include "text/utf8.h"

namespace inlay::chat {

bool is_python_space(char32_t c) {
  // Beyond the White_Space property: the information separators.
  return text::is_space(c) || (c >= 0x1C && c <= 0x1F);
}

std::size_t leading_space_end(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const text::Utf8Char c = text::decode_utf8(text, at);
    if (!is_python_space(c.code)) break;
    at += c.length;
  }
  return at;
}

std::size_t trailing_space_begin(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0) {
    const std::size_t previous = text::previous_utf8(text, at);
    if (!is_python_space(text::decode_utf8(text, previous).code)) break;
    at = previous;
  }
  return at;
}

}  // namespace inlay::chat
