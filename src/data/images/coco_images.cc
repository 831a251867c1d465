#include "data/images/coco_images.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "data/encoding.h"
#include "data/images/coco.h"
#include "data/images/content_hash.h"
#include "data/images/picture_files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

void warn_of(const CocoLeftOut& left, const std::string& what, const std::string& path) {
  if (left.count == 0) return;
  log_warn("{}: {} boxes {} are left out: {}{}", path, left.count, what, listed(left.first),
           left.count > left.first.size() ? " and others" : "");
}

// Of one file, checked against those before it.
CocoData read_part(const std::string& path, const ImageRecords& before) {
  require(path.ends_with(".json"), ErrorKind::kInput,
          "{}: the boxes of objects are read from COCO annotations; expected a .json file", path);
  CocoData data = read_coco(path);
  require(!data.images.empty() && !data.categories.empty(), ErrorKind::kInput,
          "{}: lists {} pictures and {} categories; expected at least one of each", path,
          data.images.size(), data.categories.size());
  require(before.files.empty() || data.categories == before.classes, ErrorKind::kInput,
          "{}: the categories are {}, but those of {} are {}; expected the same names in the order "
          "of their ids",
          path, listed(data.categories), before.files.empty() ? "" : before.files[0].path,
          listed(before.classes));
  warn_of(data.empty, "without a width or a height", path);
  warn_of(data.outside, "outside of their pictures", path);
  return data;
}

// What comes before the file names in the folder: "", "images/" or "train/".
std::string prefix_of(const fs::path& root, const std::string& stem, const CocoData& data,
                      const std::string& path) {
  const std::string& first = data.images[0].file;
  const std::array<std::string, 3> prefixes = {"", "images/", stem + "/"};
  for (const std::string& prefix : prefixes) {
    std::error_code error;
    if (fs::is_regular_file(root / (prefix + first), error)) return prefix;
  }
  fail(ErrorKind::kInput,
       "{}: there is no file {} in the folder {}, nor in its folders images and {}; put the "
       "pictures there",
       path, excerpt(first, 200), root.string(), excerpt(stem));
}

float share(double side, int64_t whole) {
  return static_cast<float>(std::clamp(side / static_cast<double>(whole), 0.0, 1.0));
}

std::vector<ObjectBox> boxes_of(const CocoImage& image) {
  std::vector<ObjectBox> boxes;
  boxes.reserve(image.boxes.size());
  for (const CocoBox& box : image.boxes) {
    boxes.push_back({.class_id = static_cast<std::int32_t>(box.category),
                     .left = share(box.x, image.width),
                     .top = share(box.y, image.height),
                     .right = share(box.x + box.width, image.width),
                     .bottom = share(box.y + box.height, image.height),
                     .crowd = box.crowd});
  }
  return boxes;
}

// Adds the pictures of one file; gives their names in the folder.
std::vector<std::string> add_pictures(ImageRecords& read, PictureFileStore& store,
                                      const CocoData& data, const fs::path& root,
                                      const std::string& path) {
  std::string prefix = prefix_of(root, fs::path(path).stem().string(), data, path);
  std::size_t count = data.images.size();
  std::vector<std::string> names;
  names.reserve(count);
  store.reserve(store.size() + count);
  read.records.reserve(read.records.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const CocoImage& image = data.images[i];
    std::string name = prefix + image.file;
    store.add(file_within(root, name, fmt::format("{}: image {}", path, image.id)), name,
              image.width, image.height);
    ImageRecord record;
    record.boxes = boxes_of(image);
    record.file = read.files.size();
    record.line = record.row = i + 1;
    read.records.push_back(std::move(record));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

ImageRecords read_coco_images(const DataSources& sources) {
  ImageRecords read;
  auto store = std::make_shared<PictureFileStore>();
  read.files.reserve(sources.files.size());
  for (const auto& [path, part] : sources.files) {
    CocoData data = read_part(path, read);
    fs::path folder = fs::path(path).parent_path();
    fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder);
    std::vector<std::string> names = add_pictures(read, *store, data, root, path);
    read.classes = std::move(data.categories);
    read.files.push_back(
        {.path = path,
         .sha256 = content_hash(root, std::move(names), hex(sha256_file(path)) + "\n"),
         .part = part,
         .rows = data.images.size()});
  }
  read.images = std::move(store);
  read.columns.text = {.name = "file_name", .origin = "COCO"};
  read.columns.label = {.name = "category", .origin = "COCO"};
  return read;
}

}  // namespace inlay
