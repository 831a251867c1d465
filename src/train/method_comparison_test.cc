#include "train/method_comparison.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "train/comparison_table.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// A run that tested `rows` rows and got the first `right` of them right.
ComparedRun finished(const std::string& method, int64_t seed, int rows, int right) {
  ComparedRun run;
  run.method = method;
  run.seed = seed;
  run.metric = "accuracy";
  run.value = static_cast<double>(right) / rows;
  run.parameters = 1234;
  run.file_bytes = 5000;
  run.epoch_seconds = static_cast<double>(seed);
  run.peak_rss_bytes = 1000000 * seed;
  run.examples = "split " + std::to_string(seed);
  for (int row = 0; row < rows; ++row) run.right["data.csv:" + std::to_string(row)] = row < right;
  return run;
}

ComparedRun failed(const std::string& method, int64_t seed) {
  ComparedRun run;
  run.method = method;
  run.seed = seed;
  run.error = "no site | matches";
  return run;
}

TEST(MethodComparison, GivesMeanDeviationAndTheLargestMemory) {
  Json json = comparison_json({finished("head", 1, 10, 5), finished("lora", 1, 10, 6),
                               finished("lora", 2, 10, 8), finished("lora", 3, 10, 10)},
                              "head");
  const Json& lora = json.at("methods").at(1);
  EXPECT_EQ(json.at("seeds"), Json({1, 2, 3}));
  EXPECT_DOUBLE_EQ(lora.at("mean").get<double>(), 0.8);
  EXPECT_NEAR(lora.at("sd").get<double>(), 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(lora.at("epoch_seconds").get<double>(), 2);
  EXPECT_EQ(lora.at("peak_rss_bytes"), 3000000);
  EXPECT_TRUE(json.at("methods").at(0).at("sd").is_null());
  EXPECT_FALSE(json.at("methods").at(0).contains("difference"));
}

TEST(MethodComparison, PairsRunsBySeedAndRowsByName) {
  Json json = comparison_json(
      {finished("head", 1, 100, 50), finished("head", 2, 100, 60), finished("lora", 1, 100, 70),
       finished("lora", 2, 100, 80), finished("lora", 3, 100, 0)},
      "head");
  const Json& difference = json.at("methods").at(1).at("difference");
  EXPECT_NEAR(difference.at("mean").get<double>(), 0.2, 1e-12);
  EXPECT_EQ(difference.at("seeds"), 2);
  EXPECT_GT(difference.at("interval").at(0).get<double>(), 0.1);
  EXPECT_LT(difference.at("interval").at(1).get<double>(), 0.3);
}

// The same answers in every seed are not more evidence than in one.
TEST(MethodComparison, MoreSeedsOfTheSameRowsDoNotNarrowTheInterval) {
  auto interval = [](int seeds) {
    std::vector<ComparedRun> runs;
    for (int seed = 1; seed <= seeds; ++seed) {
      runs.push_back(finished("head", seed, 100, 50));
      runs.push_back(finished("lora", seed, 100, 60));
    }
    Json json = comparison_json(runs, "head");
    return json.at("methods").at(1).at("difference").at("interval");
  };
  EXPECT_NEAR(interval(1).at(0).get<double>(), interval(5).at(0).get<double>(), 1e-12);
}

TEST(MethodComparison, ListsFailuresAndGoesOnWithTheRest) {
  Json json = comparison_json({finished("head", 1, 10, 5), failed("lora", 1),
                               finished("lora", 2, 10, 9), failed("vera", 1), failed("vera", 2)},
                              "head");
  const Json& lora = json.at("methods").at(1);
  EXPECT_EQ(lora.at("errors").size(), 1U);
  EXPECT_DOUBLE_EQ(lora.at("mean").get<double>(), 0.9);
  EXPECT_TRUE(lora.at("difference").is_null());
  EXPECT_FALSE(json.at("methods").at(2).contains("mean"));
  std::string text = comparison_text(json);
  EXPECT_NE(text.find("lora (1 of 2 seeds)"), std::string::npos) << text;
  EXPECT_NE(text.find("failed: vera, seed 2: no site | matches"), std::string::npos) << text;
  std::string markdown = comparison_markdown(json);
  EXPECT_NE(markdown.find("- vera, seed 1: no site \\| matches"), std::string::npos) << markdown;
}

TEST(MethodComparison, OtherExamplesOrAnotherFigureAreNotCompared) {
  ComparedRun other = finished("lora", 1, 10, 9);
  other.examples = "another split";
  ComparedRun figure = finished("vera", 1, 10, 9);
  figure.metric = "f1";
  Json json = comparison_json({finished("head", 1, 10, 5), other, figure}, "head");
  for (int method : {1, 2}) EXPECT_FALSE(json.at("methods").at(method).contains("mean"));
  EXPECT_EQ(json.at("methods").at(1).at("errors").at(0).at("error"),
            "its base, data or split is not that of head");
}

TEST(MethodComparison, WithoutRightAndWrongThereIsNoInterval) {
  ComparedRun head = finished("head", 1, 10, 5), lora = finished("lora", 1, 10, 6);
  for (ComparedRun* run : {&head, &lora}) run->right.clear();
  Json json = comparison_json({head, lora}, "head");
  EXPECT_FALSE(json.at("methods").at(1).at("difference").contains("interval"));
  EXPECT_NE(comparison_text(json).find("+0.1000"), std::string::npos);
}

class MarkdownPlace : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  fs::path path_ = fs::path(testing::TempDir()) / "comparison_table_test.md";
};

TEST_F(MarkdownPlace, OnlyTheTableIsReplaced) {
  write_file_atomically(path_,
                        "# Methods\n\n<!-- table: compare -->\nold\n"
                        "<!-- end of table: compare -->\n\nThe end.\n");
  write_markdown(path_, "| new |\n");
  write_markdown(path_, "| newer |\n");
  EXPECT_EQ(read_file(path_),
            "# Methods\n\n<!-- table: compare -->\n\n| newer |\n\n"
            "<!-- end of table: compare -->\n\nThe end.\n");
}

TEST_F(MarkdownPlace, AMissingFileIsMadeAndMayBeWrittenAgain) {
  check_markdown_place(path_);
  write_markdown(path_, "| a |\n");
  write_markdown(path_, "| b |\n");
  EXPECT_EQ(read_file(path_),
            "<!-- table: compare -->\n\n| b |\n\n<!-- end of table: compare -->\n");
}

TEST_F(MarkdownPlace, AFileWithoutAPlaceIsLeftAlone) {
  for (const char* text : {"# Methods\n", "<!-- table: compare -->\n"}) {
    write_file_atomically(path_, text);
    EXPECT_THROW(check_markdown_place(path_), Error);
    EXPECT_THROW(write_markdown(path_, "| a |\n"), Error);
    EXPECT_EQ(read_file(path_), text);
  }
}

}  // namespace
}  // namespace inlay
