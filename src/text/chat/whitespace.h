// What Python's str.strip() and the pattern \s count as whitespace, in UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace inlay::chat {

bool is_python_space(char32_t c);

// Length of the whitespace that a text begins with.
std::size_t leading_space_end(std::string_view text);
// Where the whitespace that a text ends with begins.
std::size_t trailing_space_begin(std::string_view text);

}  // namespace inlay::chat
