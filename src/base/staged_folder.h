// A folder that is there under its name only when it is whole: it is written beside its place and
// then moved there, and what was begun goes away again on an error.
//
//   StagedFolder staged("runs/a/adapter", StagedFolder::kReplace);
//   write_into(staged.path());
//   staged.place();
#pragma once

#include <filesystem>

namespace inlay {

class StagedFolder {
 public:
  enum Existing {
    kRefuse,   // kUsage where something stands in the place already
    kReplace,  // at every instant the old or the new folder is there
  };
  // Makes what lies above the place. kIo naming the folder where it cannot be made.
  StagedFolder(const std::filesystem::path& place, Existing existing);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::filesystem::path& path() const { return staging_; }
  void place();

 private:
  std::filesystem::path target_, staging_;
};

}  // namespace inlay
