#include "runs/manifest.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/process.h"

namespace inlay {

namespace {

constexpr const char* kFormat = "inlay-manifest-1";

Json base_json(const BaseRecord& base) {
  return {{"name", base.name},
          {"path", base.path},
          {"root_hash", base.root_hash},
          {"tensors", Json(base.tensors)}};
}

Json data_json(const DataRecord& data) {
  Json files = Json::array();
  for (const DataFileRecord& file : data.files) {
    files.push_back({{"path", file.path}, {"sha256", file.sha256}, {"rows", file.rows}});
  }
  const Json split = {{"seed", data.split.seed},
                      {"parts", data.split.parts},
                      {"counts", Json(data.split.counts)},
                      {"order_hash", data.split.order_hash}};
  return {{"files", files},
          {"columns", data.columns},
          {"split", split},
          {"duplicates", data.duplicates}};
}

Json without_what_varies(Json document) {
  document.erase("environment");
  document.erase("sha256");
  return document;
}

// RFC 6901: '~' and '/' in a key are written ~0 and ~1.
std::string pointer_part(const std::string& key) {
  std::string part = "/";
  for (const char c : key) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

void diff_values(const std::string& pointer, const Json* a, const Json* b,
                 std::vector<ManifestDifference>& out) {
  // Bytes, not values: 1 and 1.0 are equal numbers but make another hash.
  if (a != nullptr && b != nullptr && canonical_json(*a) == canonical_json(*b)) return;
  if (a != nullptr && b != nullptr && a->is_object() && b->is_object()) {
    Json keys = *a;
    keys.update(*b);
    for (const auto& [key, value] : keys.items()) {
      const Json* in_a = a->contains(key) ? &a->at(key) : nullptr;
      const Json* in_b = b->contains(key) ? &b->at(key) : nullptr;
      diff_values(pointer + pointer_part(key), in_a, in_b, out);
    }
    return;
  }
  if (a != nullptr && b != nullptr && a->is_array() && b->is_array()) {
    for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
      diff_values(pointer + "/" + std::to_string(i), i < a->size() ? &a->at(i) : nullptr,
                  i < b->size() ? &b->at(i) : nullptr, out);
    }
    return;
  }
  out.push_back(
      {pointer, a == nullptr ? "" : canonical_json(*a), b == nullptr ? "" : canonical_json(*b)});
}

}  // namespace

Json manifest_json(const Manifest& manifest) {
  Json document = {
      {"format", kFormat},
      {"tool", to_json(manifest.tool)},
      {"base", base_json(manifest.base)},
      {"tokenizer_hash", manifest.tokenizer_hash},
      {"data", data_json(manifest.data)},
      {"config", manifest.config},
      {"arithmetic", manifest.arithmetic},
      {"adapter",
       {{"init_hash", manifest.adapter.init_hash}, {"output_hash", manifest.adapter.output_hash}}},
      {"steps", manifest.steps},
      {"evaluations", manifest.evaluations},
      {"environment", manifest.environment}};
  document["sha256"] = manifest_hash(document);
  return document;
}

std::string manifest_hash(const Json& document) {
  return hex(sha256(canonical_json(without_what_varies(document))));
}

void write_manifest(const std::filesystem::path& path, const Manifest& manifest) {
  write_file_atomically(path, pretty_json(manifest_json(manifest)));
}

Json read_manifest(const std::filesystem::path& path) {
  Json document = read_json(path);
  const std::string where = path.string();
  const std::string format = json_get<std::string>(document, "format", where);
  require(format == kFormat, ErrorKind::kInput, "{}: format is \"{}\"; expected \"{}\"", where,
          format, kFormat);
  const std::string recorded = json_get<std::string>(document, "sha256", where);
  const std::string actual = manifest_hash(document);
  require(recorded == actual, ErrorKind::kInput,
          "{}: the contents hash to {}, but it records {}; the file was changed after the run",
          where, actual, recorded);
  return document;
}

std::vector<ManifestDifference> diff_manifests(const Json& a, const Json& b) {
  std::vector<ManifestDifference> differences;
  const Json left = without_what_varies(a);
  const Json right = without_what_varies(b);
  diff_values("", &left, &right, differences);
  return differences;
}

Json environment_facts() {
  return {{"cpu", cpu_model()},
          {"isa", cpu_isa()},
          {"cpus", available_cpus()},
          {"peak_rss_bytes", peak_rss_bytes()},
          {"finished", utc_timestamp()}};
}

}  // namespace inlay
