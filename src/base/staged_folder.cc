#include "base/staged_folder.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace inlay {

namespace fs = std::filesystem;

StagedFolder::StagedFolder(const fs::path& place, Existing existing)
    : target_(fs::absolute(place).lexically_normal()) {
  if (!target_.has_filename()) target_ = target_.parent_path();
  std::error_code error;
  require(existing == kReplace || !fs::exists(target_, error), ErrorKind::kUsage,
          "{} is there already; choose another folder, or remove it", place.string());
  staging_ = target_.parent_path() / ("." + target_.filename().string() + ".partial");
  fs::remove_all(staging_, error);
  fs::create_directories(staging_, error);
  require(!error, ErrorKind::kIo, "{}: the folder cannot be made: {}", target_.string(),
          error.message());
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!staging_.empty()) fs::remove_all(staging_, ignored);
}

void StagedFolder::place() {
  std::error_code error;
  if (!fs::exists(target_, error)) {
    fs::rename(staging_, target_, error);
    require(!error, ErrorKind::kIo, "{}: cannot be put into place: {}", target_.string(),
            error.message());
    staging_.clear();
    return;
  }
  // The old folder is then the staged one, which goes away with this.
  require(::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0,
          ErrorKind::kIo, "{}: cannot be replaced: {}", target_.string(), std::strerror(errno));
}

}  // namespace inlay
