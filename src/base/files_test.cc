#include "base/files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/hash.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_ = fs::path(testing::TempDir()) / "inlay_files_test";
};

TEST_F(FilesTest, WritesAtomicallyAndLeavesNothingBesideTheFile) {
  write_file_atomically(folder_ / "sub" / "a.txt", std::string_view("one"));
  write_file_atomically(folder_ / "sub" / "a.txt", std::string_view("two"));
  EXPECT_EQ(read_file(folder_ / "sub" / "a.txt"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "sub"), {}), 1);
}

TEST_F(FilesTest, AFailedWriteKeepsTheOldFile) {
  write_file_atomically(folder_ / "a.txt", std::string_view("old"));
  EXPECT_THROW(write_file_atomically(folder_ / "a.txt", [](int) { fail(ErrorKind::kIo, "full"); }),
               Error);
  EXPECT_EQ(read_file(folder_ / "a.txt"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(FilesTest, ReadingIsLimitedAndNamesThePath) {
  write_file_atomically(folder_ / "a.txt", std::string_view("12345"));
  EXPECT_THROW(read_file(folder_ / "a.txt", 4), Error);
  EXPECT_THROW(read_file(folder_ / "absent"), Error);
  EXPECT_THROW(read_file(folder_), Error);
}

TEST_F(FilesTest, ChildPathsCannotLeaveTheFolder) {
  for (const char* bad : {"", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b"}) {
    EXPECT_THROW(child_path(folder_, bad), Error) << bad;
  }
  EXPECT_EQ(child_path(folder_, "model.safetensors"), folder_ / "model.safetensors");
}

TEST_F(FilesTest, MapsAFileAndHashesIt) {
  write_file_atomically(folder_ / "a", std::string_view("abc"));
  MappedFile file(folder_ / "a");
  EXPECT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(hex(sha256_file(folder_ / "a")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace inlay
