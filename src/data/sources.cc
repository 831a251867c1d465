#include "data/sources.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "data/encoding.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCard = "dataset.json";
constexpr const char* kOrigin = "source.json";  // what inlay pull leaves
constexpr std::size_t kMaxCardBytes = 1 << 20;
constexpr std::array<std::string_view, 5> kExtensions = {".csv", ".tsv", ".jsonl", ".ndjson",
                                                         ".json"};

Part part_of_stem(const std::string& stem) {
  if (stem == "train") return Part::kTrain;
  if (stem == "validation" || stem == "valid" || stem == "val" || stem == "dev")
    return Part::kValidation;
  if (stem == "test") return Part::kTest;
  return Part::kWhole;
}

bool is_data_file(const fs::directory_entry& entry) {
  fs::path name = entry.path().filename();
  bool known = std::find(kExtensions.begin(), kExtensions.end(), name.extension().string()) !=
               kExtensions.end();
  return entry.is_regular_file() && known && name != kCard && name != kOrigin &&
         name.string().front() != '.';
}

std::vector<std::string> data_files(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_data_file(entry)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  require(!files.empty(), ErrorKind::kInput,
          "{}: no data files; expected .csv, .tsv, .jsonl, .ndjson or .json files",
          folder.string());
  return files;
}

ColumnNames read_card(const fs::path& folder) {
  fs::path path = folder / kCard;
  if (!fs::exists(path)) return {};
  Json card = read_json(path, kMaxCardBytes);
  require(card.is_object(), ErrorKind::kInput, "{}: found {}; expected an object with \"columns\"",
          path.string(), card.type_name());
  if (!card.contains("columns")) return {};
  const Json& columns = card["columns"];
  std::string where = path.string() + ": columns";
  require(columns.is_object(), ErrorKind::kInput, "{}: found {}; expected an object", where,
          columns.type_name());
  for (const auto& [key, value] : columns.items()) {
    require(key == "text" || key == "text_pair" || key == "label" || key == "further",
            ErrorKind::kInput,
            "{}: unknown key {}; expected \"text\", \"text_pair\", \"label\" or \"further\"", where,
            excerpt(key));
  }
  return {.text = json_get_or<std::string>(columns, "text", "", where),
          .text_pair = json_get_or<std::string>(columns, "text_pair", "", where),
          .label = json_get_or<std::string>(columns, "label", "", where),
          .further = json_get_or<std::string>(columns, "further", "", where)};
}

// Parts by file name, once one of them is called train; otherwise all files together are the data.
void add_folder(DataSources& sources, const fs::path& folder) {
  sources.card = read_card(folder);
  std::vector<DataSources::File> files;
  bool has_train = false;
  for (std::string& path : data_files(folder)) {
    Part part = part_of_stem(fs::path(path).stem().string());
    has_train = has_train || part == Part::kTrain;
    files.push_back({.path = std::move(path), .part = part});
  }
  for (auto& file : files) {
    if (!has_train) file.part = Part::kWhole;
    require(!has_train || file.part != Part::kWhole, ErrorKind::kInput,
            "{}: found {} beside a train file; expected only train, validation and test files, or "
            "none of them",
            folder.string(), excerpt(fs::path(file.path).filename().string()));
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const auto& a, const auto& b) { return a.part < b.part; });
  sources.files = std::move(files);
}

void add_given_parts(DataSources& sources, const DataPaths& paths) {
  require(!paths.train.empty(), ErrorKind::kUsage,
          "a validation or test file was given without a train file; give all");
  sources.files.push_back({.path = paths.train, .part = Part::kTrain});
  if (!paths.validation.empty())
    sources.files.push_back({.path = paths.validation, .part = Part::kValidation});
  if (!paths.test.empty()) sources.files.push_back({.path = paths.test, .part = Part::kTest});
}

void refuse_repeats(const DataSources& sources) {
  std::vector<std::string> seen;
  for (const auto& file : sources.files) {
    std::error_code ignored;
    fs::path real = file.path == "-" ? fs::path("-") : fs::weakly_canonical(file.path, ignored);
    require(std::find(seen.begin(), seen.end(), real.string()) == seen.end(), ErrorKind::kUsage,
            "{}: the same file was given twice; give each file once", file.path);
    seen.push_back(real.string());
  }
}

}  // namespace

std::string_view describe(Part part) {
  switch (part) {
    case Part::kWhole:
      return "data";
    case Part::kTrain:
      return "train";
    case Part::kValidation:
      return "validation";
    case Part::kTest:
      return "test";
  }
  return "unknown";
}

DataSources find_sources(const DataPaths& paths) {
  DataSources sources;
  bool given_parts = !paths.train.empty() || !paths.validation.empty() || !paths.test.empty();
  require(given_parts != !paths.paths.empty(), ErrorKind::kUsage,
          "give either data paths or a train file (with validation and test files), not both or "
          "neither");
  if (given_parts) {
    add_given_parts(sources, paths);
  } else if (paths.paths.size() == 1 && fs::is_directory(paths.paths[0])) {
    add_folder(sources, paths.paths[0]);
  } else {
    for (const std::string& path : paths.paths) sources.files.push_back({.path = path});
  }
  refuse_repeats(sources);
  return sources;
}

}  // namespace inlay
