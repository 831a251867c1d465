// One SHA-256 for a data set of many files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// SHA-256, hexadecimal, over `head` and, for every different name in bytewise order, over "name,
// NUL, SHA-256 of the file, line end". Of more than `most_read` files the sizes count instead of
// the contents, which would take long to read; the result then begins with "names-and-sizes:".
std::string content_hash(const std::filesystem::path& root, std::vector<std::string> names,
                         std::string_view head = {}, std::size_t most_read = 10'000);

}  // namespace inlay
