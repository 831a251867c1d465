// Which runs and adapters there are on this machine, and where: a SQLite file in the home folder.
// It is a cache of what stands in the folders themselves: nothing depends on it, and it can be made
// anew from them at any time.
//
//   Registry registry = Registry::open(home / kRegistryFile);
//   registry.put(entries);
//   for (const RegistryEntry& entry : registry.list({.method = "lora"})) fmt::print("{}\n",
//   entry.path);
//
// Several programs may write at once: each change is one transaction, which waits for its turn.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runs/database.h"

namespace inlay {

inline constexpr const char* kRegistryFile = "registry.sqlite";

enum class RegistryKind { kAdapter, kRun };

struct RegistryEntry {
  RegistryKind kind = RegistryKind::kAdapter;
  std::string path;  // of its folder, absolute: what tells entries apart
  std::string name;
  std::string method;    // "lora"; settings are apart
  std::string settings;  // "lora[r=8,alpha=16]"
  std::string task;
  std::string base_name;
  std::string base_hash;              // root hash; "" where it is unknown
  std::string metric;                 // what `value` is
  std::optional<double> value;        // nothing without test examples
  std::optional<int64_t> parameters;  // that were trained, without the head's
  int64_t bytes = 0;                  // of the folder's files
  std::string when;                   // "2026-03-01T14:05:09Z"
  std::string run;                    // the run of an adapter; "" where there is none
  bool finished = true;               // a run with a manifest; true of adapters
};

// Empty parts let everything through.
struct RegistryFilter {
  std::optional<RegistryKind> kind;
  std::string method;  // name
  std::string task;
  std::string base;  // name, or the beginning of the hash
};

class Registry {
 public:
  struct Options {
    Database::Mode mode = Database::Mode::kCreate;
    int busy_milliseconds = 5000;
  };
  // kInput for a file that is damaged, locked, not a registry, or another version's; the messages
  // say how to make it anew.
  static Registry open(const std::filesystem::path& path, const Options& options);
  static Registry open(const std::filesystem::path& path) { return open(path, Options()); }

  // Adds entries, in place of those with the same path.
  void put(std::span<const RegistryEntry> entries);
  // Forgets everything in and below the folders (absolute), then adds `entries`.
  void replace_below(std::span<const std::string> folders, std::span<const RegistryEntry> entries);
  void remove(std::span<const std::string> paths);
  // kInput when any page of the file is damaged.
  void check_whole() const;
  // The newest first.
  std::vector<RegistryEntry> list(const RegistryFilter& filter) const;

 private:
  explicit Registry(Database database) : database_(std::move(database)) {}
  void insert(std::span<const RegistryEntry> entries);
  Database database_;
};

// replace_below() on the registry at `path`; one that cannot be used is set aside as
// registry.sqlite.unusable and an empty one takes its place. Gives the reason for that, or "".
std::string rebuild_registry(const std::filesystem::path& path,
                             std::span<const std::string> folders,
                             std::span<const RegistryEntry> entries,
                             const Registry::Options& options);

}  // namespace inlay
