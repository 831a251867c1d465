#include "adapters/adapter_record.h"

#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kVersion = 1;
constexpr std::size_t kMaxConfigBytes = 16u << 20;

std::vector<std::string> classes_from(const Json& json, const std::string& where) {
  std::vector<std::string> classes;
  if (!json.contains("classes")) return classes;
  const Json& list = json.at("classes");
  require(list.is_array(), ErrorKind::kInput, "{}: \"classes\" is {}; expected a list of names",
          where, list.type_name());
  for (const Json& name : list) {
    require(name.is_string(), ErrorKind::kInput, "{}: a class is {}; expected a name", where,
            name.type_name());
    classes.push_back(name.get<std::string>());
  }
  return classes;
}

}  // namespace

std::string folder_name(const std::filesystem::path& path) {
  std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

Json read_adapter_config(const std::filesystem::path& folder) {
  std::filesystem::path path = folder / "adapter_config.json";
  require(std::filesystem::exists(path), ErrorKind::kInput,
          "{}: no adapter_config.json; expected an adapter's folder", folder.string());
  Json config = read_json(path, kMaxConfigBytes);
  require(config.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          path.string(), config.type_name());
  return config;
}

AdapterRecord record_of(const AdapterBundle& bundle, const BaseFacts& base) {
  AdapterRecord record;
  record.name = bundle.adapter != nullptr ? bundle.adapter->name() : "head";
  record.method = bundle.adapter != nullptr ? bundle.adapter->method_text() : "head";
  record.base_root_hash = base.root_hash;
  record.label = bundle.label;
  if (bundle.head != nullptr) record.head_dropout = bundle.head->dropout();
  return record;
}

Json record_to_json(const AdapterRecord& record) {
  Json json{{"version", kVersion},
            {"name", record.name},
            {"method", record.method},
            {"base_root_hash", record.base_root_hash},
            {"task", record.label.task},
            {"problem_type", record.label.problem_type},
            {"peft_type", record.label.peft_type},
            {"classes", record.label.classes},
            {"head_dropout", record.head_dropout}};
  if (!record.label.pooling.empty()) json["pooling"] = record.label.pooling;
  return json;
}

AdapterRecord record_from_config(const Json& config, const std::string& file) {
  std::string where = file + ": " + kRecordKey;
  const Json& json = config.at(kRecordKey);
  auto version = json_get<int64_t>(json, "version", where);
  require(version == kVersion, ErrorKind::kInput, "{}: version {}; this program reads version {}",
          where, version, kVersion);
  AdapterRecord record;
  record.name = json_get<std::string>(json, "name", where);
  record.method = json_get<std::string>(json, "method", where);
  record.base_root_hash = json_get<std::string>(json, "base_root_hash", where);
  record.label = {json_get<std::string>(json, "task", where),
                  json_get<std::string>(json, "problem_type", where),
                  json_get<std::string>(json, "peft_type", where), classes_from(json, where),
                  json_get_or<std::string>(json, "pooling", "", where)};
  record.head_dropout = json_get<double>(json, "head_dropout", where);
  require(record.head_dropout >= 0 && record.head_dropout < 1, ErrorKind::kInput,
          "{}: \"head_dropout\" is {}; expected 0 or more and below 1", where, record.head_dropout);
  return record;
}

void check_base(const AdapterRecord& record, const BaseFacts& base, const std::string& where) {
  require(record.base_root_hash == base.root_hash, ErrorKind::kInput,
          "{}: the adapter was trained on a base with hash {}, but {} has hash {}; use the base it "
          "was trained on",
          where, record.base_root_hash, base.folder.string(), base.root_hash);
}

}  // namespace inlay
