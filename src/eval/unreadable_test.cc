#include "eval/unreadable.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "data/images/picture_files.h"
#include "image/image.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using Indices = std::vector<std::size_t>;

// Six pictures of two classes by turns; 1 is torn and 4 says that it is 60,000 pixels a side.
class Unreadable : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_unreadable_{}", ::getpid());
    fs::create_directories(folder_);
    auto store = std::make_shared<PictureFileStore>();
    for (int i = 0; i < 6; ++i) {
      std::string bytes = encode_png(blank_image(3, 2)), name = fmt::format("{}.png", i);
      if (i == 1) bytes.resize(40);
      if (i == 4) bytes.replace(16, 8, std::string("\0\0\xea\x60\0\0\xea\x60", 8));
      write_file_atomically(folder_ / name, bytes);
      store->add(folder_ / name, name);
      data_.examples.push_back({.text = name, .class_id = i % 2});
    }
    data_.kind = TaskKind::kImageLabel;
    data_.classes = {"even", "odd"};
    data_.images = std::move(store);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The message of the error that leaving these out of a split ends with.
  std::string refused(Split split) const {
    std::vector<Split> splits{std::move(split)};
    try {
      leave_out_unreadable(data_, splits);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
  Dataset data_;
};

TEST_F(Unreadable, EveryTornOrHugePictureIsFoundWithItsName) {
  UnreadablePictures found = unreadable_pictures(data_);
  EXPECT_EQ(found.examples, (Indices{1, 4}));
  ASSERT_EQ(found.messages.size(), 2u);
  EXPECT_TRUE(found.messages[0].starts_with("1.png: a truncated or corrupt PNG"))
      << found.messages[0];
  EXPECT_TRUE(found.messages[1].starts_with("4.png: 60000 x 60000 pixels")) << found.messages[1];
}

TEST_F(Unreadable, TheRestKeepsItsOrderInEveryPartOfEverySplit) {
  std::vector<Split> splits{{.train = {0, 1, 3}, .validation = {2, 4}, .test = {5}},
                            {.train = {2, 3, 4, 5}, .validation = {}, .test = {0, 1}}};
  EXPECT_EQ(leave_out_unreadable(data_, splits), 2u);
  EXPECT_EQ(splits[0].train, (Indices{0, 3}));
  EXPECT_EQ(splits[0].validation, (Indices{2}));
  EXPECT_EQ(splits[0].test, (Indices{5}));
  EXPECT_EQ(splits[1].train, (Indices{2, 3, 5}));
  EXPECT_TRUE(splits[1].validation.empty());
  EXPECT_EQ(splits[1].test, (Indices{0}));
}

TEST_F(Unreadable, APartOrAClassIsNotLostInSilence) {
  EXPECT_TRUE(refused({.train = {0, 3}, .validation = {4}, .test = {5}})
                  .starts_with("none of the 1 pictures of the validation part can be read; the "
                               "first is 4.png: 60000 x 60000 pixels"));
  EXPECT_EQ(refused({.train = {0, 1, 2}, .validation = {3}, .test = {5}}),
            "class \"odd\" has no picture left to train on that can be read; give more of it");
}

}  // namespace
}  // namespace inlay
