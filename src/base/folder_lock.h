// A folder that one process at a time works in. The lock is on the folder itself, leaves no file,
// and ends with its process however that ends.
//
//   std::optional<FolderLock> lock = FolderLock::take("runs/a");
//   require(lock.has_value(), ErrorKind::kUsage, "runs/a is in use");
#pragma once

#include <filesystem>
#include <optional>

namespace inlay {

class FolderLock {
 public:
  // Nothing when someone else holds it. A file system that knows no locks gives it to everyone.
  static std::optional<FolderLock> take(const std::filesystem::path& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();

 private:
  explicit FolderLock(int folder) : folder_(folder) {}
  int folder_;  // its open descriptor; -1 when moved from
};

}  // namespace inlay
