// A folder that `pull` makes appears whole or not at all: it is filled in a staging folder of the
// same file system and renamed into place. Its source.json records where it came from and the
// SHA-256 of every file.
//
//   Staging staging(home, "catalogue/all-minilm-l6-v2", "0.0.190");
//   write files into staging.folder();
//   return staging.place(source);
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace inlay {

// What source.json holds.
struct Source {
  std::string name;                          // as it was pulled
  std::string source;                        // the package or repository
  std::string version;                       // of the package, or the commit of the repository
  std::string sha256;                        // of the package's tarball; empty for a repository
  std::map<std::string, std::string> files;  // SHA-256 by path in the folder
};

void write_source(const std::filesystem::path& folder, const Source& source);
// kInput when source.json is missing or not as written.
Source read_source(const std::filesystem::path& folder);
// Does every file that source.json lists have its SHA-256? False also when there is no source.json.
bool is_intact(const std::filesystem::path& folder);

// The place where one pull works. While it lives no other process can pull the same thing; kIo when
// one does already.
class Staging {
 public:
  // `place` is relative to `home`. `version` keeps what an interrupted pull left apart from other
  // versions.
  Staging(const std::filesystem::path& home, std::string_view place, std::string_view version);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  // Removes what was staged: for a failure that a later pull cannot build on.
  void discard();
  // Adds the hashes of all files, in folders too, to `source`, writes source.json, and renames the
  // folder into place, instead of what was there. Returns the place.
  std::filesystem::path place(Source source);

 private:
  std::filesystem::path target_;
  std::filesystem::path root_;  // of all versions
  std::filesystem::path folder_;
  int lock_ = -1;
};

}  // namespace inlay
