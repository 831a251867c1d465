#include "runs/registry.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// An empty folder for the test of this name.
fs::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  fs::path folder = fs::path(testing::TempDir()) / fmt::format("registry-{}", test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

RegistryEntry adapter(const std::string& path, const std::string& method = "lora",
                      const std::string& when = "2026-01-01T00:00:00Z") {
  RegistryEntry entry;
  entry.path = path;
  entry.name = "reviews";
  entry.method = method;
  entry.settings = method + "[r=8]";
  entry.task = "text-classification";
  entry.base_name = "minilm";
  entry.base_hash = "20565a8d112f";
  entry.metric = "accuracy";
  entry.value = 0.875;
  entry.parameters = 6912;
  entry.bytes = 1234;
  entry.when = when;
  return entry;
}

std::vector<std::string> paths(const Registry& registry, const RegistryFilter& filter = {}) {
  std::vector<std::string> found;
  for (const RegistryEntry& entry : registry.list(filter)) found.push_back(entry.path);
  return found;
}

std::string failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

using Paths = std::vector<std::string>;

TEST(Registry, GivesBackWhatWasPutIn) {
  Registry registry = Registry::open(fresh_folder() / "home" / "registry.sqlite");
  RegistryEntry entry = adapter("/runs/a'; DROP TABLE entries; --/adapter");
  entry.run = "/runs/a";
  registry.put({{entry}});
  RegistryEntry found = registry.list({}).at(0);
  EXPECT_EQ(found.path, entry.path);
  EXPECT_EQ(found.settings, "lora[r=8]");
  EXPECT_EQ(found.metric, "accuracy");
  EXPECT_EQ(found.value, 0.875);
  EXPECT_EQ(found.parameters, 6912);
  EXPECT_EQ(found.bytes, 1234);
  EXPECT_EQ(found.run, "/runs/a");
  EXPECT_EQ(found.kind, RegistryKind::kAdapter);
}

TEST(Registry, WhatIsUnknownStaysUnknown) {
  Registry registry = Registry::open(fresh_folder() / "registry.sqlite");
  RegistryEntry entry = adapter("/a");
  entry.value.reset();
  entry.parameters.reset();
  registry.put({{entry}});
  EXPECT_FALSE(registry.list({}).at(0).value.has_value());
  EXPECT_FALSE(registry.list({}).at(0).parameters.has_value());
}

TEST(Registry, TheSamePathIsOneEntryAndTheNewestComesFirst) {
  Registry registry = Registry::open(fresh_folder() / "registry.sqlite");
  registry.put({{adapter("/a"), adapter("/b")}});
  registry.put({{adapter("/b", "ia3", "2026-02-01T00:00:00Z")}});
  EXPECT_EQ(paths(registry), (Paths{"/b", "/a"}));
  EXPECT_EQ(registry.list({}).at(0).method, "ia3");
}

TEST(Registry, FiltersByEachColumn) {
  Registry registry = Registry::open(fresh_folder() / "registry.sqlite");
  RegistryEntry run = adapter("/run");
  run.kind = RegistryKind::kRun;
  RegistryEntry tags = adapter("/tags");
  tags.task = "token-classification";
  RegistryEntry other = adapter("/other", "ia3");
  other.base_name = "roberta";
  other.base_hash = "ffee";
  registry.put({{run, tags, other}});
  EXPECT_EQ(paths(registry, {.kind = RegistryKind::kRun}), Paths{"/run"});
  EXPECT_EQ(paths(registry, {.method = "ia3"}), Paths{"/other"});
  EXPECT_EQ(paths(registry, {.task = "token-classification"}), Paths{"/tags"});
  EXPECT_EQ(paths(registry, {.base = "roberta"}), Paths{"/other"});
  EXPECT_EQ(paths(registry, {.base = "ffe"}), Paths{"/other"});
  EXPECT_TRUE(paths(registry, {.base = "fe"}).empty());
}

TEST(Registry, ReplacesWhatLiesBelowAFolderAndNothingBesideIt) {
  Registry registry = Registry::open(fresh_folder() / "registry.sqlite");
  registry.put({{adapter("/r/a"), adapter("/r/b/c"), adapter("/r"), adapter("/r.old"),
                 adapter("/r-2/a"), adapter("/q")}});
  Paths folders{"/r"};
  registry.replace_below(folders, {{adapter("/r/new")}});
  EXPECT_EQ(paths(registry), (Paths{"/q", "/r-2/a", "/r.old", "/r/new"}));
  registry.remove(Paths{"/q", "/unknown"});
  EXPECT_EQ(paths(registry), (Paths{"/r-2/a", "/r.old", "/r/new"}));
}

TEST(Registry, RefusesADamagedFileAndSaysHowToMakeItAnew) {
  fs::path path = fresh_folder() / "registry.sqlite";
  write_file_atomically(path, std::string(4096, 'x'));
  std::string message = failure_of([&] { Registry::open(path); });
  EXPECT_NE(message.find("not a SQLite database"), std::string::npos) << message;
  EXPECT_NE(message.find("inlay list --rebuild"), std::string::npos) << message;
  EXPECT_EQ(read_file(path), std::string(4096, 'x'));
}

TEST(Registry, RefusesAnotherProgramsDatabase) {
  fs::path path = fresh_folder() / "registry.sqlite";
  Database::open(path, {.mode = Database::Mode::kCreate}).run("CREATE TABLE songs (title TEXT)");
  std::string message = failure_of([&] { Registry::open(path); });
  EXPECT_NE(message.find("not Inlay's registry"), std::string::npos) << message;
}

TEST(Registry, RefusesAnotherVersion) {
  fs::path path = fresh_folder() / "registry.sqlite";
  Registry::open(path);
  Database::open(path, {}).run("PRAGMA user_version = 7");
  std::string message = failure_of([&] { Registry::open(path); });
  EXPECT_NE(message.find("version 7; this program reads version 1"), std::string::npos) << message;
}

TEST(Registry, ALockedFileIsWaitedForAndThenRefused) {
  fs::path path = fresh_folder() / "registry.sqlite";
  Registry::open(path);
  Database other = Database::open(path, {});
  other.run("BEGIN EXCLUSIVE");
  Registry::Options brief{.busy_milliseconds = 20};
  std::string message = failure_of([&] { Registry::open(path, brief); });
  EXPECT_NE(message.find("locked"), std::string::npos) << message;
  other.run("COMMIT");
  Registry::open(path, brief).put({{adapter("/a")}});
}

TEST(Registry, RebuildingSetsAsideWhatCannotBeUsed) {
  fs::path path = fresh_folder() / "registry.sqlite";
  Paths folders{"/r"};
  EXPECT_EQ(rebuild_registry(path, folders, {{adapter("/r/a")}}, {}), "");
  EXPECT_EQ(paths(Registry::open(path)), Paths{"/r/a"});
  write_file_atomically(path, "something else");
  std::string reason = rebuild_registry(path, folders, {{adapter("/r/b")}}, {});
  EXPECT_NE(reason.find("not a SQLite database"), std::string::npos) << reason;
  EXPECT_EQ(paths(Registry::open(path)), Paths{"/r/b"});
  EXPECT_EQ(read_file(path.string() + ".unusable"), "something else");
}

// The header is whole; a page further on is not.
TEST(Registry, RebuildingNoticesADamagedPage) {
  fs::path path = fresh_folder() / "registry.sqlite";
  std::vector<RegistryEntry> many;
  many.reserve(200);
  for (int i = 0; i < 200; ++i) many.push_back(adapter(fmt::format("/q/{}", i)));
  Registry::open(path).put(many);
  std::string bytes = read_file(path);
  bytes.replace(bytes.size() - 4096, 4096, std::string(4096, '\x55'));
  write_file_atomically(path, bytes);
  Paths folders{"/r"};
  EXPECT_NE(rebuild_registry(path, folders, {{adapter("/r/b")}}, {}), "");
  EXPECT_EQ(paths(Registry::open(path)), Paths{"/r/b"});
}

TEST(Registry, ManyWritersLoseNothing) {
  fs::path path = fresh_folder() / "registry.sqlite";
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&path, writer] {
      for (int i = 0; i < 10; ++i)
        Registry::open(path).put({{adapter(fmt::format("/{}/{}", writer, i))}});
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Registry::open(path).list({}).size(), 40U);
}

TEST(Registry, IsNotMadeByLookingForIt) {
  fs::path path = fresh_folder() / "registry.sqlite";
  EXPECT_THROW(Registry::open(path, {.mode = Database::Mode::kExisting}), Error);
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace inlay
