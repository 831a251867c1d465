// Places in a text counted in characters (Unicode code points), as data sets and tokenizers count
// them, against the bytes of UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace inlay {

// REQUIRES of all: well-formed UTF-8.
std::int64_t character_count(std::string_view text);

// The byte at which character `index` begins; the text's size at or beyond its end.
std::size_t byte_of_character(std::string_view text, std::int64_t index);

// Characters [begin, end), cut at the end of the text.
std::string_view characters(std::string_view text, std::int64_t begin, std::int64_t end);

}  // namespace inlay
