#include "data/images/image_arrays.h"

#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "data/encoding.h"
#include "data/images/content_hash.h"
#include "data/images/idx.h"
#include "data/images/npz.h"
#include "data/images/pixel_store.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

void check_labels(std::size_t pictures, const std::vector<int64_t>& labels,
                  const std::string& where) {
  bool match = !labels.empty() && labels.size() <= 2 && labels[0] == static_cast<int64_t>(pictures);
  require(match, ErrorKind::kInput,
          "{}: found {} labels of rank {} for {} pictures; expected one row of labels for each",
          where, labels.empty() ? 0 : labels[0], labels.size(), pictures);
}

void set_columns(ImageRecords& read, const std::string& origin, const ImageDataSpec& spec) {
  read.columns.text = {.name = "images", .origin = origin};
  if (spec.targets) read.columns.label = {.name = "labels", .origin = origin};
}

ImageRecord record_at(std::size_t file, std::size_t index) {
  ImageRecord record;
  record.file = file;
  record.line = record.row = index + 1;
  return record;
}

std::string idx_label(uint8_t label, const ImageCard& card, const std::string& where) {
  if (card.labels.empty()) return std::to_string(label);
  require(label < card.labels.size(), ErrorKind::kInput,
          "{}: label {}, but dataset.json names {} classes; expected 0 to {}", where, label,
          card.labels.size(), card.labels.size() - 1);
  return card.labels[label];
}

void add_idx_records(ImageRecords& read, const IdxArray& labels, const ImageCard& card,
                     const ImageDataSpec& spec, const std::string& where) {
  std::size_t file = read.files.size();
  read.records.reserve(read.records.size() + labels.bytes.size());
  for (std::size_t i = 0; i < labels.bytes.size(); ++i) {
    ImageRecord record = record_at(file, i);
    if (spec.targets && spec.kind == TaskKind::kImageValues) {
      record.values = {static_cast<float>(labels.bytes[i])};
    } else if (spec.targets) {
      record.labels = {idx_label(labels.bytes[i], card, fmt::format("{}, item {}", where, i + 1))};
    }
    read.records.push_back(std::move(record));
  }
}

// The labels of one part of a .npz as they concern the task.
class NpzLabels {
 public:
  NpzLabels(NpyArray array, TaskKind kind, std::string where)
      : array_(std::move(array)),
        kind_(kind),
        where_(std::move(where)),
        columns_(array_.header.shape.size() == 2 ? static_cast<std::size_t>(array_.header.shape[1])
                                                 : 1) {
    require(!of_labelled_images(kind_) || columns_ == 1, ErrorKind::kInput,
            "{}: {} labels for each picture; expected one; a task of several labels takes them",
            where_, columns_);
  }

  std::size_t columns() const { return columns_; }

  void set(ImageRecord& record, std::size_t row) const {
    for (std::size_t column = 0; column < columns_; ++column) {
      double value = array_.value(row * columns_ + column);
      if (kind_ == TaskKind::kImageValues) {
        record.values.push_back(finite(value, row));
      } else if (columns_ == 1) {
        record.labels.push_back(std::to_string(whole(value, row)));
      } else if (flag(value, row)) {
        record.labels.push_back(std::to_string(column));
      }
    }
  }

 private:
  float finite(double value, std::size_t row) const {
    auto rounded = static_cast<float>(value);
    require(std::isfinite(rounded), ErrorKind::kInput, "{}, row {}: {}; expected a finite number",
            where_, row + 1, value);
    return rounded;
  }

  int64_t whole(double value, std::size_t row) const {
    bool sound = value >= 0 && value <= 1e9 && std::floor(value) == value;
    require(sound, ErrorKind::kInput, "{}, row {}: label {}; expected a whole number from 0",
            where_, row + 1, value);
    return static_cast<int64_t>(value);
  }

  bool flag(double value, std::size_t row) const {
    require(value == 0 || value == 1, ErrorKind::kInput,
            "{}, row {}: {} among several labels; expected 0 or 1", where_, row + 1, value);
    return value == 1;
  }

  NpyArray array_;
  TaskKind kind_;
  std::string where_;
  std::size_t columns_;
};

void add_npz_labels(ImageRecords& read, const NpzFile& file, const std::string& name,
                    std::size_t pictures, const ImageDataSpec& spec) {
  std::size_t index = read.files.size(), first = read.records.size();
  read.records.reserve(first + pictures);
  for (std::size_t row = 0; row < pictures; ++row) read.records.push_back(record_at(index, row));
  if (!spec.targets) return;
  std::string where = fmt::format("{}: {}", file.where(), name);
  NpyArray array = file.array(name);
  check_labels(pictures, array.header.shape, where);
  NpzLabels labels(std::move(array), spec.kind, where);
  for (std::size_t row = 0; row < pictures; ++row) labels.set(read.records[first + row], row);
  // Every column is a class, also one that no picture of the train part has.
  bool named = spec.kind == TaskKind::kImageLabels && labels.columns() > 1 && read.classes.empty();
  for (std::size_t column = 0; named && column < labels.columns(); ++column)
    read.classes.push_back(std::to_string(column));
}

}  // namespace

ImageRecords read_idx_images(const fs::path& folder, const ImageCard& card,
                             const ImageDataSpec& spec) {
  ImageRecords read;
  auto store = std::make_shared<PixelStore>();
  read.files.reserve(card.parts.size());
  for (const ImageCard::IdxPart& part : card.parts) {
    fs::path path = child_path(folder, part.images), labels_path = child_path(folder, part.labels);
    IdxArray images = read_idx(path), labels = read_idx(labels_path);
    std::size_t before = store->size();
    store->add(images.sizes, std::move(images.bytes), part.images);
    std::size_t count = store->size() - before;
    require(labels.sizes.size() == 1, ErrorKind::kInput, "{}: rank {}; expected labels, of rank 1",
            labels_path.string(), labels.sizes.size());
    check_labels(count, labels.sizes, labels_path.string());
    add_idx_records(read, labels, card, spec, labels_path.string());
    read.files.push_back({.path = path.string(),
                          .sha256 = content_hash(folder, {part.images, part.labels}),
                          .part = part.part,
                          .rows = count});
  }
  read.classes = card.labels;
  read.images = std::move(store);
  set_columns(read, "idx", spec);
  return read;
}

ImageRecords read_npz_images(const fs::path& path, const ImageDataSpec& spec) {
  constexpr std::array<std::pair<const char*, Part>, 3> kParts = {
      {{"train", Part::kTrain}, {"val", Part::kValidation}, {"test", Part::kTest}}};
  NpzFile file = NpzFile::open(path);
  require(file.contains("train_images"), ErrorKind::kInput,
          "{}: there is no array train_images; it has {}; expected the arrays of MedMNIST",
          path.string(), listed(file.names()));
  ImageRecords read;
  auto store = std::make_shared<PixelStore>();
  std::string hash = hex(sha256_file(path));
  read.files.reserve(kParts.size());
  for (const auto& [name, part] : kParts) {
    std::string images_name = fmt::format("{}_images", name);
    if (!file.contains(images_name)) continue;
    NpyArray images = file.array(images_name);
    std::string place = fmt::format("{}: {}", path.filename().string(), images_name);
    require(images.header.type == NpyType::kU1, ErrorKind::kInput,
            "{}: pictures of type {}; expected u1", place, npy_type_name(images.header.type));
    std::size_t before = store->size();
    store->add(images.header.shape, std::move(images.bytes), place);
    std::size_t count = store->size() - before;
    add_npz_labels(read, file, fmt::format("{}_labels", name), count, spec);
    read.files.push_back({.path = path.string(), .sha256 = hash, .part = part, .rows = count});
  }
  read.images = std::move(store);
  set_columns(read, "npz", spec);
  return read;
}

}  // namespace inlay
