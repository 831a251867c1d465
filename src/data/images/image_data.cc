#include "data/images/image_data.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "data/encoding.h"
#include "data/images/coco_images.h"
#include "data/images/content_hash.h"
#include "data/images/image_arrays.h"
#include "data/images/image_card.h"
#include "data/images/image_folder.h"
#include "data/images/image_table.h"
#include "data/images/picture_files.h"
#include "data/labels.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxClasses = 100'000;

bool holds_table(const fs::path& folder) {
  constexpr std::array<std::string_view, 4> kTables = {".csv", ".tsv", ".jsonl", ".ndjson"};
  for (const auto& entry : fs::directory_iterator(folder)) {
    fs::path name = entry.path().filename();
    bool table =
        std::find(kTables.begin(), kTables.end(), name.extension().string()) != kTables.end();
    if (entry.is_regular_file() && table && !name.string().starts_with('.')) return true;
  }
  return false;
}

// Every part's folder holds tables of its own, as Hugging Face's imagefolder has it.
bool hold_tables(const std::vector<ImageFolder>& folders) {
  return std::all_of(folders.begin(), folders.end(),
                     [](const ImageFolder& folder) { return holds_table(folder.path); });
}

DataSources tables_in(const std::vector<ImageFolder>& folders) {
  DataSources sources;
  for (const auto& [path, part] : folders) {
    DataSources found = find_sources({.paths = {path.string()}});
    sources.files.reserve(sources.files.size() + found.files.size());
    for (auto& file : found.files)
      sources.files.push_back({.path = std::move(file.path), .part = part});
  }
  return sources;
}

ImageRecords read_folder(const fs::path& folder, const ImageDataSpec& spec) {
  ImageCard card = read_image_card(folder);
  if (card.format == "idx") return read_idx_images(folder, card, spec);
  bool look = card.format.empty();
  if (look && holds_table(folder))
    return read_image_tables(find_sources({.paths = {folder.string()}}), spec);
  std::vector<ImageFolder> parts = part_folders(folder);
  if (look && parts[0].part != Part::kWhole && hold_tables(parts))
    return read_image_tables(tables_in(parts), spec);
  return read_image_folders(folder, parts, card.groups, spec);
}

// Folders of classes, one for each part.
ImageRecords read_part_folders(const DataPaths& from, const ImageDataSpec& spec) {
  std::vector<ImageFolder> folders;
  const std::array<std::pair<const std::string*, Part>, 3> given = {
      {{&from.train, Part::kTrain},
       {&from.validation, Part::kValidation},
       {&from.test, Part::kTest}}};
  folders.reserve(given.size());
  for (const auto& [path, part] : given) {
    if (path->empty()) continue;
    require(fs::is_directory(*path), ErrorKind::kInput,
            "{}: is no folder, but the train part {} is one; expected folders for all parts", *path,
            from.train);
    folders.push_back({.path = *path, .part = part});
  }
  // No root holds them all: their places begin with their own paths.
  return read_image_folders({}, folders, {}, spec);
}

ImageRecords read_pictures(const std::vector<std::string>& paths) {
  ImageRecords read;
  auto store = std::make_shared<PictureFileStore>();
  store->reserve(paths.size());
  read.records.reserve(paths.size());
  read.files.reserve(paths.size());
  for (const std::string& path : paths) {
    ImageRecord record;
    record.file = read.files.size();
    record.line = record.row = 1;
    read.records.push_back(std::move(record));
    fs::path file(path), folder = file.parent_path();
    read.files.push_back({.path = path,
                          .sha256 = content_hash(folder.empty() ? fs::path(".") : folder,
                                                 {file.filename().string()}),
                          .rows = 1});
    store->add(std::move(file), path);
  }
  read.images = std::move(store);
  read.columns.text = {.name = "picture", .origin = "file"};
  return read;
}

ImageRecords read_records(const DataPaths& from, const ImageDataSpec& spec) {
  if (spec.kind == TaskKind::kImageBoxes && spec.targets)
    return read_coco_images(find_sources(from));
  if (!from.train.empty() && fs::is_directory(from.train)) return read_part_folders(from, spec);
  const std::vector<std::string>& paths = from.paths;
  if (paths.size() == 1 && fs::is_directory(paths[0])) return read_folder(paths[0], spec);
  if (paths.size() == 1 && paths[0].ends_with(".npz")) return read_npz_images(paths[0], spec);
  bool pictures = !paths.empty() && std::all_of(paths.begin(), paths.end(), is_picture_name);
  require(
      !pictures || !spec.targets, ErrorKind::kInput,
      "{}: is a picture, of which nobody knows the label; expected a folder per class, a table, "
      "or an .npz file",
      paths.empty() ? "" : paths[0]);
  if (pictures) return read_pictures(paths);
  return read_image_tables(find_sources(from), spec);
}

// Those of the parts that decide which classes there are.
std::set<std::string> labels_in(const ImageRecords& read, TaskKind kind) {
  std::set<std::string> seen;
  for (const ImageRecord& record : read.records) {
    Part part = read.files[record.file].part;
    bool decides = part == Part::kWhole || part == Part::kTrain;
    if (decides || kind == TaskKind::kImageIdentity)
      seen.insert(record.labels.begin(), record.labels.end());
    require(seen.size() <= kMaxClasses, ErrorKind::kInput,
            "{}: more than {} different labels; is it the right column?", read.files[0].path,
            kMaxClasses);
  }
  return seen;
}

LabelList collect_classes(const ImageRecords& read, TaskKind kind) {
  require(read.classes.size() <= kMaxClasses, ErrorKind::kInput,
          "{}: {} classes are listed; at most {} are read", read.files[0].path, read.classes.size(),
          kMaxClasses);
  if (!read.classes.empty()) return LabelList::ordered(read.classes);
  std::set<std::string> seen = labels_in(read, kind);
  std::size_t least = kind == TaskKind::kImageLabels ? 1 : 2;
  require(seen.size() >= least, ErrorKind::kInput,
          "{}: there is one class only ({}); expected at least two", read.files[0].path,
          seen.empty() ? "none" : excerpt(*seen.begin()));
  return LabelList::of({seen.begin(), seen.end()});
}

// Those of the spec, then others that the data have.
LabelList identities_of(const ImageRecords& read, const std::vector<std::string>& listed_first) {
  std::vector<std::string> names = listed_first;
  std::set<std::string> known(names.begin(), names.end());
  for (const std::string& label : labels_in(read, TaskKind::kImageIdentity))
    if (known.count(label) == 0) names.push_back(label);
  return LabelList::ordered(std::move(names));
}

LabelList classes_of(const ImageRecords& read, const ImageDataSpec& spec) {
  bool classed = spec.targets && spec.kind != TaskKind::kImageValues;
  if (spec.classes.empty()) return classed ? collect_classes(read, spec.kind) : LabelList();
  if (spec.targets && spec.kind == TaskKind::kImageIdentity)
    return identities_of(read, spec.classes);
  return LabelList::ordered(spec.classes);
}

std::int32_t class_id(const std::string& label, const LabelList& classes,
                      const std::string& where) {
  auto found = classes.find(label);
  if (!found) {
    fail(ErrorKind::kInput, "{}: unknown label {}; expected one of {} (the classes trained on)",
         where, excerpt(label), listed(classes.names()));
  }
  return *found;
}

void set_classes(Example& example, const ImageRecord& record, const LabelList& classes,
                 TaskKind kind) {
  std::vector<std::int32_t> ids;
  ids.reserve(record.labels.size());
  for (const std::string& label : record.labels)
    ids.push_back(class_id(label, classes, example.text));
  if (of_labelled_images(kind)) {
    ensure(ids.size() == 1, "{}: {} labels", example.text, ids.size());
    example.class_id = ids[0];
    return;
  }
  std::sort(ids.begin(), ids.end());
  require(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), ErrorKind::kInput,
          "{}: has one label twice; expected different ones", example.text);
  example.class_ids = std::move(ids);
}

// From the source's order of classes to that of the data.
void set_boxes(Example& example, ImageRecord& record, const std::vector<std::string>& source,
               const LabelList& classes) {
  for (ObjectBox& box : record.boxes)
    box.class_id = class_id(source[static_cast<std::size_t>(box.class_id)], classes, example.text);
  example.boxes = std::move(record.boxes);
}

void set_targets(Example& example, ImageRecord& record, const std::vector<std::string>& source,
                 const LabelList& classes, TaskKind kind) {
  if (kind == TaskKind::kImageValues) {
    example.values = std::move(record.values);
  } else if (kind == TaskKind::kImageBoxes) {
    set_boxes(example, record, source, classes);
  } else {
    set_classes(example, record, classes, kind);
  }
}

void check_widths(const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    require(example.values.size() == examples[0].values.size(), ErrorKind::kInput,
            "{}: found {} numbers as the target; expected {} as of {}", example.text,
            example.values.size(), examples[0].values.size(), examples[0].text);
  }
}

// Splits keep an identity whole, and with it any group that is part of it.
class IdentityGroups {
 public:
  // kInput where the example's group has another identity, too: no split could keep both whole.
  const std::string& group_of(const std::string& identity, const Example& example) {
    if (example.group.empty()) return identity;
    const std::string& known = owners_.emplace(example.group, identity).first->second;
    require(known == identity, ErrorKind::kInput,
            "{}: group {} has two identities, {} and {}; expected one, as an identity and a group "
            "both stay in one part",
            example.text, excerpt(example.group), excerpt(known), excerpt(identity));
    return identity;
  }

 private:
  std::map<std::string, std::string> owners_;  // identity by group
};

}  // namespace

ImageData load_image_data(const DataPaths& from, const ImageDataSpec& spec) {
  ImageRecords read = read_records(from, spec);
  LabelList classes = classes_of(read, spec);
  ImageData data;
  data.examples.reserve(read.records.size());
  IdentityGroups identities;
  for (std::size_t i = 0; i < read.records.size(); ++i) {
    ImageRecord& record = read.records[i];
    Example example;
    example.text = read.images->place(i);
    if (spec.targets) set_targets(example, record, read.classes, classes, spec.kind);
    example.adapter = std::move(record.adapter);
    example.group = std::move(record.group);
    if (spec.targets && spec.kind == TaskKind::kImageIdentity)
      example.group = identities.group_of(record.labels[0], example);
    example.file = record.file;
    example.line = record.line;
    example.row = record.row;
    data.examples.push_back(std::move(example));
  }
  check_widths(data.examples);
  data.images = std::move(read.images);
  data.classes = classes.names();
  data.files = std::move(read.files);
  data.columns = std::move(read.columns);
  return data;
}

}  // namespace inlay
