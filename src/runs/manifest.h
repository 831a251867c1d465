// What a run was, in enough detail to repeat it and to see where a repeat differs: manifest.json.
//
// Everything but `environment` (times, machine, memory) and the manifest's own `sha256` takes part
// in that hash, so two runs of the same program on the same inputs have the same hash. Put nothing
// there that changes from run to run: no time, no host, no name of the run folder.
//
//   Manifest manifest;
//   manifest.base = {"MiniLM-L6", "models/minilm", root_hash, tensor_hashes};
//   manifest.config = to_json(config);
//   write_manifest(run.manifest(), manifest);
//   for (const auto& found : diff_manifests(read_manifest(a), read_manifest(b))) {
//     fmt::print("{}: {} became {}\n", found.pointer, found.a, found.b);
//   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "runs/tool_info.h"

namespace inlay {

struct BaseRecord {
  std::string name;
  std::string path;
  std::string root_hash;
  std::map<std::string, std::string> tensors;  // name to SHA-256
};

struct DataFileRecord {
  std::string path;
  std::string sha256;
  int64_t rows = 0;
};

struct SplitRecord {
  int64_t seed = 0;
  Json parts = Json::object();  // part to its fraction or its file
  std::map<std::string, int64_t> counts;
  std::string order_hash;  // of the order in which rows were seen
};

struct DataRecord {
  std::vector<DataFileRecord> files;
  Json columns = Json::object();  // role to column name
  SplitRecord split;
  Json duplicates = Json::object();
};

struct AdapterHashes {
  std::string init_hash;
  std::string output_hash;
};

struct Manifest {
  ToolInfo tool = tool_info();
  BaseRecord base;
  std::string tokenizer_hash;
  DataRecord data;
  Json config = Json::object();      // all settings, defaults included
  Json arithmetic = Json::object();  // types, random numbers, order of sums
  AdapterHashes adapter;
  Json steps = Json::object();  // StepDigest::to_json()
  Json evaluations = Json::array();
  Json environment = Json::object();  // environment_facts() and times
};

// The document, with "format" and "sha256".
Json manifest_json(const Manifest& manifest);

// SHA-256 over the canonical bytes without "environment" and "sha256".
std::string manifest_hash(const Json& document);

void write_manifest(const std::filesystem::path& path, const Manifest& manifest);

// Refuses a document of another format or one that does not match its own hash.
Json read_manifest(const std::filesystem::path& path);

struct ManifestDifference {
  std::string pointer;  // JSON pointer, such as /data/split/seed
  std::string a;        // the values as JSON; "" when absent
  std::string b;
};

// All places outside "environment" and "sha256" at which two manifests differ, in the order of
// their keys.
std::vector<ManifestDifference> diff_manifests(const Json& a, const Json& b);

// {cpu, isa, cpus, peak_rss_bytes, finished} of this process, now.
Json environment_facts();

}  // namespace inlay
