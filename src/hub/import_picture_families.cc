#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "hub/import.h"
#include "hub/nested_path.h"
#include "hub/picture_families.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Relative to the folder, in order.
std::vector<std::string> pictures_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    bool mirrored = item.path().stem().string().ends_with("_mirror");
    if (item.is_regular_file() && !mirrored)
      names.push_back(item.path().lexically_relative(folder).generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void import_picture_families(const CatalogueEntry& entry, const fs::path& unpacked,
                             const fs::path& folder) {
  Json dataset = entry.settings.at("dataset");
  Json groups = Json::object();
  std::set<std::string> labels;
  for (const std::string& name : pictures_in(unpacked)) {
    std::size_t slash = name.find('/');
    require(slash != name.npos, ErrorKind::kInput,
            "{}: picture \"{}\" lies in no folder; expected a folder per class", entry.name, name);
    labels.insert(name.substr(0, slash));
    groups[name] = picture_family(name);
    fs::path target = nested_path(folder, name);
    fs::create_directories(target.parent_path());
    fs::rename(nested_path(unpacked, name), target);
  }
  dataset["format"] = "image-folder";
  dataset["labels"] = labels;
  dataset["groups"] = std::move(groups);
  write_file_atomically(folder / "dataset.json", pretty_json(dataset));
}

}  // namespace inlay
