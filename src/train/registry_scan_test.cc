#include "train/registry_scan.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "train/registry_entries.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class RegistryScan : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / fmt::format("registry-scan-{}", test->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void adapter(const std::string& place, const std::string& config = R"({"peft_type": "IA3"})") {
    write_file_atomically(root_ / place / "adapter_config.json", config);
  }
  std::vector<std::string> found(const ScanLimits& limits = {}) {
    std::vector<std::string> names;
    for (const RegistryEntry& entry : scan_folders({root_}, limits).entries)
      names.push_back(fs::path(entry.path).lexically_relative(root_).string());
    return names;
  }
  fs::path root_;
};

using Names = std::vector<std::string>;

TEST_F(RegistryScan, FindsAdaptersInTheOrderOfTheirNames) {
  adapter("b");
  adapter("a/deep/down");
  adapter("c");
  EXPECT_EQ(found(), (Names{"a/deep/down", "b", "c"}));
}

TEST_F(RegistryScan, LeavesOutLinksHiddenFoldersAndWhatIsInsideAnAdapter) {
  adapter("a");
  adapter("a/checkpoint");
  adapter(".a.partial");
  fs::create_directory_symlink(root_, root_ / "loop");
  fs::create_directory_symlink(root_ / "a", root_ / "link");
  EXPECT_EQ(found(), Names{"a"});
}

TEST_F(RegistryScan, StopsAtItsLimitsAndSaysSo) {
  adapter("a/b/c/d");
  adapter("e");
  EXPECT_EQ(found({.depth = 3}), Names{"e"});
  EXPECT_TRUE(scan_folders({root_}, {.depth = 3}).cut_short);
  EXPECT_TRUE(scan_folders({root_}, {.folders = 2}).cut_short);
  EXPECT_FALSE(scan_folders({root_}, {.depth = 4}).cut_short);
}

TEST_F(RegistryScan, NamesWhatItCannotReadAndGoesOn) {
  adapter("a", "[]");
  adapter("b", R"({"something": "else"})");
  adapter("c", R"({"inlay": 3})");
  adapter("d", R"({"inlay": {"version": 1, "name": "x"}})");
  adapter("e");
  write_file_atomically(root_ / "f/config.json", R"({"seed": "one"})");
  write_file_atomically(root_ / "f/inputs.json", "{}");
  FolderScan scan = scan_folders({root_});
  EXPECT_EQ(scan.problems.size(), 5U);
  EXPECT_EQ(scan.entries.size(), 1U);
}

TEST_F(RegistryScan, ReadsWhatOtherLibrariesSay) {
  adapter("a", R"({"peft_type": "LORA", "base_model_name_or_path": "org/roberta-base/"})");
  adapter("b", R"({"config": {"architecture": null}, "model_name": "bert", "name": "mine"})");
  std::vector<RegistryEntry> entries = scan_folders({root_}).entries;
  EXPECT_EQ(entries.at(0).method, "lora");
  EXPECT_EQ(entries.at(0).base_name, "roberta-base");
  EXPECT_EQ(entries.at(0).name, "a");
  EXPECT_FALSE(entries.at(0).parameters.has_value());
  EXPECT_EQ(entries.at(1).method, "bottleneck");
  EXPECT_EQ(entries.at(1).name, "mine");
  EXPECT_EQ(entries.at(1).when.size(), std::string("2026-01-01T00:00:00Z").size());
}

TEST_F(RegistryScan, RefusesWhatIsNoFolder) {
  EXPECT_THROW(scan_folders({root_ / "nowhere"}), Error);
}

TEST(MethodNames, AreTheTextWithoutSettings) {
  EXPECT_EQ(method_names("head"), "head");
  EXPECT_EQ(method_names("lora[r=8,target_modules=query+value]"), "lora");
  EXPECT_EQ(method_names("stack(lora[r=8], bottleneck[dropout=0])"), "stack(lora, bottleneck)");
}

}  // namespace
}  // namespace inlay
