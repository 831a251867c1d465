// What every text reader checks before it parses: that the bytes are UTF-8 text at all. And how
// bytes from a file are shown in a message, so that a message is always short, printable UTF-8.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace inlay {

// The bytes without a byte order mark. Empty, binary (NUL bytes), UTF-16 and invalid UTF-8 input is
// an Error that names `source`, the line and the byte within the line.
std::string_view checked_text(std::string_view bytes, std::string_view source);

// The text in double quotes, at most `most` bytes of it, with control characters and stray bytes as
// \xNN.
std::string excerpt(std::string_view text, std::size_t most = 60);

// "a", "b", "c", … : at most 20 of the names, each as an excerpt.
std::string listed(std::span<const std::string> names);

// Without the spaces, tabs and line ends at both ends (ASCII).
std::string_view trimmed(std::string_view text);

}  // namespace inlay
