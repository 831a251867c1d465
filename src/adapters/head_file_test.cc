#include "adapters/head_file.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/json.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class HeadFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_head_file_{}", ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    base_.hidden = 6;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void expect_round_trip(const Head& head) const {
    write_head_file(folder_, head);
    std::unique_ptr<Head> read = read_head_file(folder_, base_);
    ASSERT_NE(read, nullptr);
    EXPECT_TRUE(same_layout(read->layout(), head.layout()));
    EXPECT_EQ(read->outputs(), head.outputs());
    ASSERT_EQ(read->parameters().size(), head.parameters().size());
    for (std::size_t i = 0; i < head.parameters().size(); ++i) {
      const Parameter &was = head.parameters()[i], &is = read->parameters()[i];
      EXPECT_EQ(is.name(), was.name());
      auto a = was.value().bytes(), b = is.value().bytes();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << was.name();
    }
  }

  // Why the file is refused once `change` was made to its layout.
  template <class Change>
  std::string refusal(const Head& head, const Change& change) const {
    write_head_file(folder_, head);
    Json json = read_json(folder_ / "head.json");
    change(json);
    write_file_atomically(folder_ / "head.json", pretty_json(json));
    try {
      read_head_file(folder_, base_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "";
  }

  static Head detector() {
    return {{.input = HeadInput::kPyramid, .output = "predictor", .levels = {3, 5}, .width = 4},
            6,
            7,
            0.0,
            1};
  }

  BaseFacts base_;
  fs::path folder_;
};

TEST_F(HeadFile, HoldsADetectorWithItsLevels) {
  expect_round_trip(detector());
  Json json = read_json(folder_ / "head.json");
  EXPECT_EQ(json.at("pooling"), "pyramid");
  EXPECT_EQ(json.at("levels"), Json({3, 5}));
}

TEST_F(HeadFile, HoldsAnEmbeddingAndCosines) {
  HeadLayout layout = base_.head_layout(HeadKind::kVerification);
  layout.embedding = 4;
  expect_round_trip(Head(layout, 6, 3, 0.1, 1));
  EXPECT_EQ(read_json(folder_ / "head.json").at("embedding"), 4);
}

TEST_F(HeadFile, SaysNothingNewOfAPlainHead) {
  expect_round_trip(Head({.input = HeadInput::kMean}, 6, 3, 0.1, 1));
  Json json = read_json(folder_ / "head.json");
  for (const char* key : {"levels", "width", "embedding", "cosine"})
    EXPECT_FALSE(json.contains(key)) << key;
}

TEST_F(HeadFile, RefusesSizesThatTheTensorsHaveNot) {
  auto expect = [&](const std::string& message, const char* text) {
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  expect(refusal(detector(), [](Json& json) { json["levels"] = Json::array(); }), "levels");
  expect(refusal(detector(), [](Json& json) { json["levels"] = {3, -5}; }), "expected 1 to");
  expect(refusal(detector(), [](Json& json) { json["levels"] = {3, 1000}; }), "(outputs, 1000)");
  expect(refusal(detector(), [](Json& json) { json["width"] = 1 << 30; }), "width");
  expect(refusal(detector(), [](Json& json) { json["width"] = 256; }), "the layout says 256");
  expect(refusal(detector(), [](Json& json) { json["output"] = "scale.0"; }), "scale.0.weight");
  expect(refusal(detector(), [](Json& json) { json["cosine"] = true; }), "cosine");
}

TEST_F(HeadFile, RefusesAnEmbeddingOfAnotherSize) {
  Head head({.output_bias = false, .embedding = 4, .cosine = true}, 6, 3, 0.0, 1);
  std::string message = refusal(head, [](Json& json) { json["embedding"] = 1 << 19; });
  EXPECT_NE(message.find("the layout says 524288"), std::string::npos) << message;
}

}  // namespace
}  // namespace inlay
