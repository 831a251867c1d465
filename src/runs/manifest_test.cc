#include "runs/manifest.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

Manifest example() {
  Manifest manifest;
  manifest.base = {"tiny-bert", "models/tiny", "aa", {{"w.weight", "01"}, {"b/ias~", "02"}}};
  manifest.tokenizer_hash = "bb";
  manifest.data.files = {{"reviews.csv", "cc", 1200}};
  manifest.data.split = {7, {{"train", 0.8}, {"test", 0.2}}, {{"train", 960}, {"test", 240}}, "dd"};
  manifest.config = {{"learning_rate", 1e-4}, {"method", "lora"}};
  manifest.adapter = {"ee", "ff"};
  manifest.evaluations = {{{"split", "test"}, {"accuracy", 0.9}}};
  manifest.environment = environment_facts();
  return manifest;
}

std::vector<std::string> pointers(const Json& a, const Json& b) {
  std::vector<std::string> result;
  for (const auto& difference : diff_manifests(a, b)) result.push_back(difference.pointer);
  return result;
}

TEST(Manifest, ItsHashIsThatOfItsCanonicalBytesWithoutTheEnvironment) {
  const Json document = {
      {"b", 1}, {"a", {{"y", 0.5}, {"x", "é"}}}, {"environment", 3}, {"sha256", "?"}};
  EXPECT_EQ(manifest_hash(document), hex(sha256("{\"a\":{\"x\":\"é\",\"y\":0.5},\"b\":1}")));
}

TEST(Manifest, TheEnvironmentDoesNotChangeTheHash) {
  Manifest later = example();
  later.environment["finished"] = "2031-01-01T00:00:00Z";
  EXPECT_EQ(manifest_json(later)["sha256"], manifest_json(example())["sha256"]);
  later.config["learning_rate"] = 2e-4;
  EXPECT_NE(manifest_json(later)["sha256"], manifest_json(example())["sha256"]);
}

TEST(Manifest, IsWrittenAndRead) {
  const fs::path path = fs::path(testing::TempDir()) / "manifest_test.json";
  const Manifest manifest = example();
  write_manifest(path, manifest);
  EXPECT_EQ(canonical_json(read_manifest(path)), canonical_json(manifest_json(manifest)));
}

TEST(Manifest, AChangedFileIsRefused) {
  const fs::path path = fs::path(testing::TempDir()) / "manifest_changed.json";
  Json document = manifest_json(example());
  document["data"]["split"]["seed"] = 8;
  write_file_atomically(path, pretty_json(document));
  try {
    read_manifest(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("was changed after the run"), std::string::npos);
  }
}

TEST(Manifest, AnotherFormatIsRefused) {
  const fs::path path = fs::path(testing::TempDir()) / "manifest_format.json";
  write_file_atomically(path, R"({"format":"other","sha256":""})");
  EXPECT_THROW(read_manifest(path), Error);
}

TEST(Manifest, EqualRunsDoNotDiffer) {
  Manifest later = example();
  later.environment = Json::object();
  EXPECT_TRUE(diff_manifests(manifest_json(example()), manifest_json(later)).empty());
}

TEST(Manifest, WhateverChangesTheHashIsADifference) {
  EXPECT_EQ(pointers({{"a", 1}}, {{"a", 1.0}}), std::vector<std::string>{"/a"});
  EXPECT_EQ(pointers({{"a", Json::array()}}, {{"a", Json::object()}}),
            std::vector<std::string>{"/a"});
}

TEST(Manifest, DifferencesAreNamedByPointer) {
  Manifest other = example();
  other.data.split.seed = 8;
  other.base.tensors["b/ias~"] = "03";
  other.evaluations.push_back({{"split", "validation"}});
  other.config.erase("method");
  const Json a = manifest_json(example());
  const Json b = manifest_json(other);
  EXPECT_EQ(pointers(a, b), (std::vector<std::string>{"/base/tensors/b~1ias~0", "/config/method",
                                                      "/data/split/seed", "/evaluations/1"}));
  EXPECT_EQ(diff_manifests(a, b)[1].a, "\"lora\"");
  EXPECT_EQ(diff_manifests(a, b)[1].b, "");
  EXPECT_EQ(diff_manifests(a, b)[2].b, "8");
}

}  // namespace
}  // namespace inlay
