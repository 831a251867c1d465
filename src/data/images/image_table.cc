#include "data/images/image_table.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/cell_values.h"
#include "data/column_names.h"
#include "data/encoding.h"
#include "data/images/content_hash.h"
#include "data/images/picture_files.h"
#include "data/table.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPictures[] = {"image", "file_name", "path", "filename", "image_path"};
constexpr std::string_view kLabels[] = {"label",    "labels",  "class",    "target",
                                        "category", "species", "diagnosis"};
constexpr std::string_view kNumbers[] = {"value", "values", "target", "score", "label", "labels"};
constexpr std::string_view kGroups[] = {"group", "patient_id", "patient", "subject_id", "subject"};

ColumnChoice choose(const Table& table, const ColumnNames& card, const ImageDataSpec& spec) {
  const ColumnNames& named = spec.columns;
  ColumnChoice choice;
  choice.text = stated(table, named.text, card.text);
  if (choice.text.name.empty()) choice.text = guessed_of(table, kPictures);
  require(!choice.text.name.empty(), ErrorKind::kInput,
          "{}: no column looks like the paths of pictures; the columns are {}; call it image, or "
          "name it with --text-column",
          table.source, listed(table.columns));
  if (spec.targets) {
    Names names = spec.kind == TaskKind::kImageValues ? Names(kNumbers) : Names(kLabels);
    choice.label = stated(table, named.label, card.label);
    if (choice.label.name.empty()) choice.label = guessed_of(table, names, choice.text.name);
    require(!choice.label.name.empty(), ErrorKind::kInput,
            "{}: no column looks like a label; the columns are {}; name one with --label-column",
            table.source, listed(table.columns));
  }
  choice.adapter = stated(table, named.adapter, "");
  ColumnChoice::One group = stated(table, named.further, card.further);
  if (group.name.empty()) group = guessed_of(table, kGroups, choice.label.name);
  if (!group.name.empty()) choice.further.push_back(std::move(group));
  refuse_overlap(table, choice);
  return choice;
}

void read_target(ImageRecord& record, const CellPlace& place, TaskKind kind) {
  if (of_labelled_images(kind)) record.labels = {label_of(place)};
  if (kind == TaskKind::kImageLabels) record.labels = label_set_of(place);
  if (kind == TaskKind::kImageValues) record.values = values_of(place);
}

std::optional<std::size_t> column_of(const Table& table, const std::string& name) {
  return name.empty() ? std::nullopt : std::optional(table.column(name));
}

// Adds the rows of one table.
void add_rows(ImageRecords& read, PictureFileStore& store, const Table& table, const fs::path& root,
              const ImageDataSpec& spec) {
  std::size_t pictures = table.column(read.columns.text.name);
  auto label = column_of(table, read.columns.label.name);
  auto adapter = column_of(table, read.columns.adapter.name);
  auto group = column_of(table, read.columns.further.empty() ? "" : read.columns.further[0].name);
  store.reserve(store.size() + table.rows());
  read.records.reserve(read.records.size() + table.rows());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    CellPlace place{table, pictures, row};
    std::string picture(trimmed(text_of(place)));
    ImageRecord record;
    if (label) read_target(record, {table, *label, row}, spec.kind);
    if (adapter) record.adapter = name_or_empty({table, *adapter, row});
    if (group) record.group = name_or_empty({table, *group, row});
    record.file = read.files.size();
    record.line = table.lines[row];
    record.row = row + 1;
    read.records.push_back(std::move(record));
    fs::path path = file_within(root, picture, place.where());
    store.add(std::move(path), std::move(picture));
  }
}

std::vector<std::string> added_places(const PictureFileStore& store, std::size_t first) {
  std::vector<std::string> places;
  places.reserve(store.size() - first);
  for (std::size_t i = first; i < store.size(); ++i) places.push_back(store.place(i));
  return places;
}

}  // namespace

ImageRecords read_image_tables(const DataSources& sources, const ImageDataSpec& spec) {
  ImageRecords read;
  auto store = std::make_shared<PictureFileStore>();
  for (const auto& [path, part] : sources.files) {
    Table table = read_table(path);
    if (read.files.empty()) read.columns = choose(table, sources.card, spec);
    fs::path folder = path == "-" ? fs::path() : fs::path(path).parent_path();
    fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder);
    std::size_t first = store->size();
    add_rows(read, *store, table, root, spec);
    read.files.push_back(
        {.path = table.source,
         .sha256 = content_hash(root, added_places(*store, first), table.sha256 + "\n"),
         .part = part,
         .rows = table.rows()});
  }
  read.images = std::move(store);
  return read;
}

}  // namespace inlay
