#include "base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace inlay {

std::optional<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  require(lock.folder_ >= 0, ErrorKind::kIo, "cannot open the folder {}: {}", folder.string(),
          std::strerror(errno));
  bool taken = ::flock(lock.folder_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  if (!taken) return std::nullopt;
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : folder_(std::exchange(other.folder_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(folder_, other.folder_);
  return *this;
}

FolderLock::~FolderLock() {
  if (folder_ >= 0) ::close(folder_);
}

}  // namespace inlay
