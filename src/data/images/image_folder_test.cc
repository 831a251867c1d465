#include "data/images/image_folder.h"

#include <gtest/gtest.h>

#include "data/images/content_hash.h"
#include "data/images/picture_files.h"
#include "data/test_files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class ImageFolderTest : public testing::Test {
 protected:
  // Not a picture: nothing is decoded here.
  void put(const std::string& name, const std::string& bytes = "x") {
    fs::create_directories(fs::path(folder_.path() + "/" + name).parent_path());
    folder_.write(name, bytes);
  }
  ImageRecords read(const ImageDataSpec& spec = {},
                    const std::map<std::string, std::string>& groups = {}) {
    return read_image_folders(folder_.path(), part_folders(folder_.path()), groups, spec);
  }
  std::vector<std::string> places(const ImageRecords& records) {
    std::vector<std::string> places;
    for (std::size_t i = 0; i < records.images->size(); ++i)
      places.push_back(records.images->place(i));
    return places;
  }

  TestFolder folder_;
};

TEST_F(ImageFolderTest, TakesTheClassFromTheFolderInBytewiseOrder) {
  for (const char* name : {"cats/b.png", "cats/deep/er/a.JPG", "Dogs/x.webp", "cats/notes.txt",
                           "cats/.hidden.png", ".git/x.png", "cats/a.jpeg"})
    put(name);
  ImageRecords read = this->read();
  EXPECT_EQ(places(read), (std::vector<std::string>{"Dogs/x.webp", "cats/a.jpeg", "cats/b.png",
                                                    "cats/deep/er/a.JPG"}));
  EXPECT_EQ(read.records[0].labels, (std::vector<std::string>{"Dogs"}));
  EXPECT_EQ(read.records[3].labels, (std::vector<std::string>{"cats"}));
  EXPECT_EQ(read.records[3].row, 4u);
  ASSERT_EQ(read.files.size(), 1u);
  EXPECT_EQ(read.files[0].part, Part::kWhole);
  EXPECT_EQ(read.files[0].rows, 4u);
}

TEST_F(ImageFolderTest, KnowsThePartsAndTheGroups) {
  for (const char* name : {"train/a/1.png", "train/b/1.png", "test/a/2.png", "val/b/3.png"})
    put(name);
  ImageRecords read = this->read({}, {{"test/a/2.png", "tom"}});
  EXPECT_EQ(places(read), (std::vector<std::string>{"train/a/1.png", "train/b/1.png", "val/b/3.png",
                                                    "test/a/2.png"}));
  EXPECT_EQ(read.files[1].part, Part::kValidation);
  EXPECT_EQ(read.records[3].file, 2u);
  EXPECT_EQ(read.records[3].group, "tom");
  EXPECT_EQ(read.records[0].group, "");
  put("valid/b/4.png");
  EXPECT_INPUT_ERROR(this->read(), "are both the validation part");
  fs::remove_all(folder_.path() + "/valid");
  put("more/b/4.png");
  EXPECT_INPUT_ERROR(this->read(), "found the folder \"more\" beside train");
}

TEST_F(ImageFolderTest, RefusesWhatWouldBeMissedInSilence) {
  put("cats/a.png");
  put("loose.png");
  EXPECT_INPUT_ERROR(read(), "\"loose.png\" lies in no class folder");
  EXPECT_EQ(read({.targets = false}).records.size(), 2u);
  fs::remove(folder_.path() + "/loose.png");
  put("cats/b.GIF");
  EXPECT_INPUT_ERROR(read(), "\"cats/b.GIF\": pictures of this kind are not read");
  fs::remove(folder_.path() + "/cats/b.GIF");
  fs::create_directory(folder_.path() + "/dogs");
  EXPECT_INPUT_ERROR(read(), "class folder \"dogs\" holds no picture");
  EXPECT_INPUT_ERROR(read({.kind = TaskKind::kImageValues}), "the task needs numbers");
}

TEST_F(ImageFolderTest, RefusesLinksThatLeaveTheFolderByName) {
  TestFolder other;
  std::string secret = other.write("secret.png", "x");
  put("cats/a.png");
  fs::create_symlink("a.png", folder_.path() + "/cats/same.png");
  EXPECT_EQ(read().records.size(), 2u);
  fs::create_symlink(secret, folder_.path() + "/cats/b.png");
  EXPECT_INPUT_ERROR(read(), "\"cats/b.png\" is a link that leaves the folder");
  fs::remove(folder_.path() + "/cats/b.png");
  fs::create_directory_symlink(folder_.path(), folder_.path() + "/cats/loop");
  EXPECT_INPUT_ERROR(read(), "\"cats/loop\": is a link to a folder");
}

TEST_F(ImageFolderTest, FindsFilesWithinTheFolderOnly) {
  put("a/b.png");
  fs::path root = fs::canonical(folder_.path());
  EXPECT_EQ(file_within(root, "a/b.png", "t.csv"), root / "a/b.png");
  EXPECT_INPUT_ERROR(file_within(root, "a/../../b.png", "t.csv: line 2"), "t.csv: line 2: \"a/..");
  EXPECT_INPUT_ERROR(file_within(root, "/etc/passwd", "t.csv"), "leaves the folder");
  EXPECT_INPUT_ERROR(file_within(root, "", "t.csv"), "leaves the folder");
  EXPECT_INPUT_ERROR(file_within(root, "a", "t.csv"), "there is no file \"a\"");
  EXPECT_INPUT_ERROR(file_within(root, "c.png", "t.csv"), "there is no file \"c.png\"");
}

TEST_F(ImageFolderTest, HashesNamesAndContents) {
  put("a/1.png", "one");
  put("a/2.png", "two");
  fs::path root = folder_.path();
  std::string hash = content_hash(root, {"a/2.png", "a/1.png", "a/1.png"});
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash, content_hash(root, {"a/1.png", "a/2.png"}));
  EXPECT_NE(hash, content_hash(root, {"a/1.png"}));
  EXPECT_NE(hash, content_hash(root, {"a/1.png", "a/2.png"}, "head"));
  std::string sizes = content_hash(root, {"a/1.png", "a/2.png"}, {}, 1);
  EXPECT_TRUE(sizes.starts_with("names-and-sizes:")) << sizes;
  put("a/2.png", "TWO");
  EXPECT_NE(hash, content_hash(root, {"a/1.png", "a/2.png"}));
  EXPECT_EQ(sizes, content_hash(root, {"a/1.png", "a/2.png"}, {}, 1));
}

}  // namespace
}  // namespace inlay
