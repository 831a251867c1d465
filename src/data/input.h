// The bytes of a file, or of standard input where the path is "-".
#pragma once

#include <cstddef>
#include <string>

namespace inlay {

// More than `max_bytes` is kInput.
std::string read_input(const std::string& path, std::size_t max_bytes);

// What messages call it: the path, or "standard input".
std::string input_name(const std::string& path);

}  // namespace inlay
