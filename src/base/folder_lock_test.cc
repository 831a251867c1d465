#include "base/folder_lock.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

fs::path folder_named(const std::string& name) {
  fs::path folder = fs::path(testing::TempDir()) / ("folder_lock_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

TEST(FolderLock, IsHeldByOneAtATime) {
  fs::path folder = folder_named("one");
  {
    std::optional<FolderLock> first = FolderLock::take(folder);
    EXPECT_TRUE(first.has_value());
    EXPECT_FALSE(FolderLock::take(folder).has_value());
  }
  EXPECT_TRUE(FolderLock::take(folder).has_value());
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(FolderLock, MovesWithItsHolder) {
  fs::path folder = folder_named("moves");
  FolderLock held = *FolderLock::take(folder);
  FolderLock moved = std::move(held);
  EXPECT_FALSE(FolderLock::take(folder).has_value());
}

TEST(FolderLock, NeedsAFolder) {
  EXPECT_THROW(FolderLock::take(folder_named("gone") / "nowhere"), Error);
}

}  // namespace
}  // namespace inlay
