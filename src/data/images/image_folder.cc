#include "data/images/image_folder.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "data/encoding.h"
#include "data/images/content_hash.h"
#include "data/images/picture_files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.')) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string class_of(const std::string& picture, const fs::path& folder) {
  std::size_t slash = picture.find('/');
  require(slash != picture.npos, ErrorKind::kInput,
          "{}: {} lies in no class folder; expected {}/<class>/{}", folder.string(),
          excerpt(picture, 200), folder.string(), picture);
  return picture.substr(0, slash);
}

void check_class_folders(const fs::path& folder, const std::vector<std::string>& pictures) {
  std::set<std::string> filled;
  for (const std::string& picture : pictures) filled.insert(class_of(picture, folder));
  for (const std::string& name : folders_in(folder)) {
    require(filled.count(name) > 0, ErrorKind::kInput,
            "{}: class folder {} holds no picture; expected PNG, JPEG or WebP files, or no folder",
            folder.string(), excerpt(name));
  }
}

// "train/" for root/train, nothing for the root itself, the whole path where there is no root.
std::string prefix_of(const fs::path& folder, const fs::path& root) {
  if (root.empty()) return folder.generic_string() + "/";
  fs::path relative = folder.lexically_relative(root);
  return relative.empty() || relative == "." ? "" : relative.generic_string() + "/";
}

Part part_of_name(const std::string& name) {
  if (name == "train") return Part::kTrain;
  if (name == "validation" || name == "valid" || name == "val" || name == "dev")
    return Part::kValidation;
  if (name == "test") return Part::kTest;
  return Part::kWhole;
}

}  // namespace

std::vector<ImageFolder> part_folders(const fs::path& folder) {
  std::vector<std::string> names = folders_in(folder);
  if (!std::binary_search(names.begin(), names.end(), "train"))
    return {ImageFolder{.path = folder}};
  std::vector<ImageFolder> parts;
  parts.reserve(names.size());
  for (const std::string& name : names) {
    Part part = part_of_name(name);
    require(part != Part::kWhole, ErrorKind::kInput,
            "{}: found the folder {} beside train; expected only train, validation and test, or "
            "none of them",
            folder.string(), excerpt(name));
    parts.push_back({.path = folder / name, .part = part});
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.part < b.part; });
  for (std::size_t i = 1; i < parts.size(); ++i) {
    require(parts[i].part != parts[i - 1].part, ErrorKind::kInput,
            "{} and {} are both the {} part; expected one of them", parts[i - 1].path.string(),
            parts[i].path.string(), describe(parts[i].part));
  }
  return parts;
}

ImageRecords read_image_folders(const fs::path& root, const std::vector<ImageFolder>& folders,
                                const std::map<std::string, std::string>& groups,
                                const ImageDataSpec& spec) {
  require(!spec.targets || spec.kind != TaskKind::kImageValues, ErrorKind::kInput,
          "{}: the names of folders are classes, and the task needs numbers; expected a table with "
          "the columns image and value",
          root.string());
  ImageRecords read;
  auto store = std::make_shared<PictureFileStore>();
  for (const auto& [path, part] : folders) {
    std::vector<std::string> pictures = pictures_below(path);
    require(!pictures.empty(), ErrorKind::kInput,
            "{}: no pictures; expected PNG, JPEG or WebP files in a folder per class",
            path.string());
    if (spec.targets) check_class_folders(path, pictures);
    std::string prefix = prefix_of(path, root);
    store->reserve(store->size() + pictures.size());
    read.records.reserve(read.records.size() + pictures.size());
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      std::string place = prefix + pictures[i];
      ImageRecord record;
      if (spec.targets) record.labels = {class_of(pictures[i], path)};
      auto group = groups.find(place);
      if (group != groups.end()) record.group = group->second;
      record.file = read.files.size();
      record.line = record.row = i + 1;
      read.records.push_back(std::move(record));
      store->add(path / pictures[i], std::move(place));
    }
    std::size_t count = pictures.size();
    read.files.push_back({.path = path.string(),
                          .sha256 = content_hash(path, std::move(pictures)),
                          .part = part,
                          .rows = count});
  }
  read.images = std::move(store);
  read.columns.text = {.name = "picture", .origin = "folder"};
  if (spec.targets) read.columns.label = {.name = "class", .origin = "folder"};
  return read;
}

}  // namespace inlay
