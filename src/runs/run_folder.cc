#include "runs/run_folder.h"

#include <system_error>

#include "base/error.h"

namespace inlay {

namespace fs = std::filesystem;

namespace {

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  require(!error, ErrorKind::kIo, "cannot make the folder {}: {}", path.string(), error.message());
}

// The name of something inside the folder, or "" when it is empty or missing.
std::string something_in(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return "";
  require(fs::is_directory(path, error), ErrorKind::kUsage,
          "{} is not a folder; name a folder for the run", path.string());
  fs::directory_iterator entries(path, error);
  require(!error, ErrorKind::kIo, "cannot read the folder {}: {}", path.string(), error.message());
  return entries == fs::directory_iterator() ? "" : entries->path().filename().string();
}

}  // namespace

void RunFolder::require_free(const fs::path& path) {
  const std::string found = something_in(path);
  require(found.empty() || FolderLock::take(path).has_value(), ErrorKind::kUsage,
          "another training is at work in {}; wait for it, or name another folder", path.string());
  require(found.empty(), ErrorKind::kUsage,
          "the run folder {} is not empty (it has {}); resume it, or name another folder",
          path.string(), found);
}

RunFolder RunFolder::create(const fs::path& path, RunStart start) {
  auto require_some = [&](bool some) {
    require(some, ErrorKind::kUsage,
            "there is no run to resume in {}; start it without asking to resume", path.string());
  };
  if (start == RunStart::kNew) {
    require_free(path);
    make_folder(path);
  } else {
    require_some(fs::is_directory(path));
  }
  RunFolder run(path);
  run.lock_ = FolderLock::take(path);
  require(run.lock_.has_value(), ErrorKind::kUsage,
          "another training is at work in {}; wait for it, or name another folder", path.string());
  // Looked at under the lock: a training that has just begun has an empty folder, too.
  if (start == RunStart::kResume) require_some(!something_in(path).empty());
  return run;
}

RunFolder RunFolder::open(const fs::path& path) {
  RunFolder run(path);
  require(fs::is_directory(path), ErrorKind::kInput,
          "{}: there is no such folder; expected a run's", path.string());
  require(
      fs::is_regular_file(run.manifest()), ErrorKind::kInput,
      "{} is not a finished run: it has no manifest.json; finish it with: inlay train --resume {}",
      path.string(), path.string());
  return run;
}

}  // namespace inlay
