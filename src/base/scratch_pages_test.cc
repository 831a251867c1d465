#include "base/scratch_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"

namespace inlay {
namespace {

TEST(ScratchPages, KeepWhatIsWrittenAndLeaveNoFileBehind) {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / "inlay_scratch_pages";
  std::filesystem::create_directories(folder);
  for (bool file : {false, true}) {
    ScratchPages pages =
        file ? ScratchPages::in_file(folder, 10'000) : ScratchPages::in_memory(10'000);
    ASSERT_EQ(pages.bytes().size(), 10'000u);
    EXPECT_EQ(pages.bytes()[9'999], std::byte{0});
    std::fill(pages.bytes().begin(), pages.bytes().end(), std::byte{7});
    ScratchPages other = std::move(pages);
    EXPECT_EQ(other.bytes()[9'999], std::byte{7});
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
  std::filesystem::remove_all(folder);
}

TEST(ScratchPages, AFileWithoutRoomIsAnError) {
  EXPECT_THROW(ScratchPages::in_file("/nonexistent", 1), Error);
  EXPECT_THROW(ScratchPages::in_file(std::filesystem::temp_directory_path(), std::size_t{1} << 60),
               Error);
}

}  // namespace
}  // namespace inlay
