#include "data/images/content_hash.h"

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"

namespace inlay {

std::string content_hash(const std::filesystem::path& root, std::vector<std::string> names,
                         std::string_view head, std::size_t most_read) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  bool read = names.size() <= most_read;
  if (!read) {
    log_info("{}: {} files are identified by their names and sizes, not by their contents",
             root.string(), names.size());
  }
  Sha256 hash;
  hash.update(head);
  for (const std::string& name : names) {
    hash.update(name);
    hash.update(std::string_view("\0", 1));
    hash.update(read ? hex(sha256_file(root / name))
                     : std::to_string(std::filesystem::file_size(root / name)));
    hash.update("\n");
  }
  return (read ? "" : "names-and-sizes:") + hex(hash.finish());
}

}  // namespace inlay
