#include "runs/run_folder.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

fs::path fresh_path(const std::string& name) {
  fs::path path = fs::path(testing::TempDir()) / ("run_folder_" + name);
  fs::remove_all(path);
  return path;
}

std::string message_of(const fs::path& path, RunStart start) {
  try {
    RunFolder::create(path, start);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunFolder, IsMadeEmpty) {
  const auto run = RunFolder::create(fresh_path("new") / "deep", RunStart::kNew);
  EXPECT_TRUE(fs::is_empty(run.path()));
  EXPECT_EQ(run.metrics().filename(), "metrics.jsonl");
}

TEST(RunFolder, MayBeAnEmptyFolder) {
  const auto path = fresh_path("empty");
  fs::create_directories(path);
  EXPECT_NO_THROW(RunFolder::create(path, RunStart::kNew));
}

TEST(RunFolder, NeverWritesOverAnotherRun) {
  const auto path = fresh_path("taken");
  write_file_atomically(path / "metrics.jsonl", "{}\n");
  EXPECT_EQ(message_of(path, RunStart::kNew),
            "the run folder " + path.string() +
                " is not empty (it has metrics.jsonl); resume it, or name another folder");
  EXPECT_EQ(message_of(path, RunStart::kResume), "no error");
}

TEST(RunFolder, ResumesOnlyWhatExists) {
  const auto path = fresh_path("missing");
  EXPECT_EQ(message_of(path, RunStart::kResume), "there is no run to resume in " + path.string() +
                                                     "; start it without asking to resume");
  EXPECT_FALSE(fs::exists(path));
}

TEST(RunFolder, HasOneWriterAtATime) {
  const auto path = fresh_path("busy");
  const auto run = RunFolder::create(path, RunStart::kNew);
  const std::string refusal =
      "another training is at work in " + path.string() + "; wait for it, or name another folder";
  EXPECT_EQ(message_of(path, RunStart::kNew), refusal);
  write_file_atomically(path / "config.json", "{}");
  EXPECT_EQ(message_of(path, RunStart::kNew), refusal);
  EXPECT_EQ(message_of(path, RunStart::kResume), refusal);
}

TEST(RunFolder, IsNotAFile) {
  const auto path = fresh_path("file");
  write_file_atomically(path, "x");
  EXPECT_THROW(RunFolder::create(path, RunStart::kNew), Error);
}

TEST(RunFolder, OpensOnlyWithAManifest) {
  const auto path = fresh_path("open");
  RunFolder::create(path, RunStart::kNew);
  EXPECT_THROW(RunFolder::open(path), Error);
  write_file_atomically(path / "manifest.json", "{}");
  EXPECT_EQ(RunFolder::open(path).path(), path);
}

}  // namespace
}  // namespace inlay
