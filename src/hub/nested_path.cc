#include "hub/nested_path.h"

#include "base/files.h"

namespace inlay {

std::filesystem::path nested_path(const std::filesystem::path& folder, std::string_view name) {
  std::filesystem::path path = folder;
  for (std::size_t slash = name.find('/'); slash != name.npos; slash = name.find('/')) {
    path = child_path(path, name.substr(0, slash));
    name.remove_prefix(slash + 1);
  }
  return child_path(path, name);
}

}  // namespace inlay
