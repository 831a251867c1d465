#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "hub/import.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t\r\n";
  std::size_t first = text.find_first_not_of(kBlanks);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// RFC 4180: quotes around what needs them, doubled inside.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

struct Table {
  std::string csv = "text,label\n";
  int64_t rows = 0;
};

Table table_of(const fs::path& path, const Json& labels) {
  Json list = read_json(path);
  require(list.is_array(), ErrorKind::kInput, "{}: expected a list, found {}", path.string(),
          list.type_name());
  Table table;
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string where = fmt::format("{}: item {}", path.string(), i);
    auto text = trimmed(json_get<std::string>(list[i], "text", where));
    require(list[i].contains("class"), ErrorKind::kInput, "{}: has no \"class\"", where);
    if (list[i]["class"].is_null()) continue;
    std::string key = list[i]["class"].dump();
    require(labels.contains(key), ErrorKind::kInput, "{}: class {} has no label", where, key);
    table.csv += csv_field(text) + "," + csv_field(labels[key].get<std::string>()) + "\n";
    ++table.rows;
  }
  return table;
}

}  // namespace

void import_labelled_json(const CatalogueEntry& entry, const fs::path& unpacked,
                          const fs::path& folder) {
  const Json& labels = entry.settings.at("labels");
  Json dataset = {{"task", entry.settings.at("task")},
                  {"columns", {{"text", "text"}, {"label", "label"}}},
                  {"labels", Json::array()},
                  {"files", Json::object()}};
  for (const Json& label : labels) dataset["labels"].push_back(label);
  for (const auto& [file, member] : entry.members) {
    Table table = table_of(child_path(unpacked, file), labels);
    std::string name = fs::path(file).replace_extension(".csv").string();
    write_file_atomically(child_path(folder, name), table.csv);
    dataset["files"][name] = table.rows;
  }
  write_file_atomically(folder / "dataset.json", pretty_json(dataset));
}

}  // namespace inlay
