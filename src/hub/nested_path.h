// Paths inside a folder that came from an untrusted file.
#pragma once

#include <filesystem>
#include <string_view>

namespace inlay {

// `folder / name`, where name is plain file names with slashes between: nothing empty, no "..", not
// absolute. kInput otherwise.
std::filesystem::path nested_path(const std::filesystem::path& folder, std::string_view name);

}  // namespace inlay
