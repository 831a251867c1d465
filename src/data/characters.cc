#include "data/characters.h"

#include <algorithm>

namespace inlay {
namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::int64_t character_count(std::string_view text) {
  return std::count_if(text.begin(), text.end(), begins_character);
}

std::size_t byte_of_character(std::string_view text, std::int64_t index) {
  std::int64_t seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (begins_character(text[at]) && seen++ == index) return at;
  }
  return text.size();
}

std::string_view characters(std::string_view text, std::int64_t begin, std::int64_t end) {
  std::size_t first = byte_of_character(text, begin);
  std::string_view rest = text.substr(first);
  return rest.substr(0, byte_of_character(rest, end - begin));
}

}  // namespace inlay
