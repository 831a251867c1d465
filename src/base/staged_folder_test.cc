#include "base/staged_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class Staged : public testing::Test {
 protected:
  Staged() { fs::remove_all(root_); }
  ~Staged() override { fs::remove_all(root_); }
  fs::path root_ = fs::path(testing::TempDir()) / ("inlay_staged_" + std::to_string(::getpid()));
};

TEST_F(Staged, IsThereOnlyWhenItIsPlaced) {
  {
    StagedFolder staged(root_ / "a" / "b", StagedFolder::kRefuse);
    write_file_atomically(staged.path() / "file", "new");
    EXPECT_FALSE(fs::exists(root_ / "a" / "b"));
    staged.place();
  }
  EXPECT_EQ(read_file(root_ / "a" / "b" / "file"), "new");
  EXPECT_THROW(StagedFolder(root_ / "a" / "b", StagedFolder::kRefuse), Error);
}

TEST_F(Staged, ReplacesAnOlderOneAsAWhole) {
  write_file_atomically(root_ / "a" / "leftover", "old");
  {
    StagedFolder staged(root_ / "a", StagedFolder::kReplace);
    write_file_atomically(staged.path() / "file", "new");
    staged.place();
  }
  EXPECT_FALSE(fs::exists(root_ / "a" / "leftover"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
}

TEST_F(Staged, LeavesNothingBehindWithoutPlacing) {
  { StagedFolder staged(root_ / "a", StagedFolder::kRefuse); }
  EXPECT_TRUE(fs::is_empty(root_));
}

}  // namespace
}  // namespace inlay
