#include "data/images/coco.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20;
constexpr std::size_t kMaxNamed = 10;
constexpr int64_t kMaxSide = 65'535;
// Of a box, in pixels. As a share of the largest picture it is more than float32 can lose.
constexpr double kLeastSide = 0.01;

const Json& list_in(const Json& json, const char* key, const std::string& where) {
  require(json.is_object() && json.contains(key) && json[key].is_array(), ErrorKind::kInput,
          "{}: expected an object whose \"{}\" is a list", where, key);
  return json[key];
}

// Objects by their "id", each once.
std::map<int64_t, const Json*> by_id(const Json& json, const char* key, const std::string& where) {
  std::map<int64_t, const Json*> objects;
  for (const Json& object : list_in(json, key, where)) {
    auto id = json_get<int64_t>(object, "id", fmt::format("{}: {}", where, key));
    require(objects.emplace(id, &object).second, ErrorKind::kInput,
            "{}: {}: id {} is there twice; expected different ones", where, key, id);
  }
  return objects;
}

void check_file_name(const std::string& name, const std::string& where) {
  std::filesystem::path path(name);
  bool inside = !name.empty() && !path.is_absolute() && name.find('\0') == name.npos;
  for (const auto& part : path) inside = inside && part != "..";
  require(inside, ErrorKind::kInput,
          "{}: file name {} leaves the folder; expected a path inside of it", where, excerpt(name));
}

int64_t side_of(const Json& image, const char* key, const std::string& where) {
  auto side = json_get<int64_t>(image, key, where);
  require(side >= 1 && side <= kMaxSide, ErrorKind::kInput, "{}: {} is {}; expected 1 to {}", where,
          key, side, kMaxSide);
  return side;
}

double number_of(const Json& value, const char* key, const std::string& where) {
  bool sound = value.is_number() && std::isfinite(value.get<double>());
  require(sound, ErrorKind::kInput, "{}: \"{}\" holds {}; expected finite numbers", where, key,
          value.type_name());
  return value.get<double>();
}

// 0 or 1, or true or false.
bool crowd_of(const Json& annotation, const std::string& where) {
  if (!annotation.contains("iscrowd")) return false;
  const Json& value = annotation["iscrowd"];
  if (value.is_boolean()) return value.get<bool>();
  bool sound = value.is_number_integer() && (value == 0 || value == 1);
  require(sound, ErrorKind::kInput, "{}: \"iscrowd\" is {}; expected 0 or 1", where,
          value.type_name());
  return value == 1;
}

CocoBox box_of(const Json& annotation, const std::string& where) {
  bool four = annotation.contains("bbox") && annotation["bbox"].is_array() &&
              annotation["bbox"].size() == 4;
  require(four, ErrorKind::kInput, "{}: expected \"bbox\", a list [x, y, width, height]", where);
  const Json& sides = annotation["bbox"];
  CocoBox box{.id = json_get<int64_t>(annotation, "id", where),
              .x = number_of(sides[0], "bbox", where),
              .y = number_of(sides[1], "bbox", where),
              .width = number_of(sides[2], "bbox", where),
              .height = number_of(sides[3], "bbox", where),
              .crowd = crowd_of(annotation, where)};
  box.area = annotation.contains("area") ? number_of(annotation["area"], "area", where)
                                         : box.width * box.height;
  return box;
}

void leave_out(CocoLeftOut& left, const CocoBox& box, const CocoImage& image) {
  ++left.count;
  if (left.first.size() < kMaxNamed)
    left.first.push_back(fmt::format("annotation {} of {}", box.id, image.file));
}

class Reader {
 public:
  Reader(const Json& json, const std::string& where) : json_(json), where_(where) {}

  CocoData read() {
    read_categories();
    read_images();
    for (const auto& [id, annotation] : by_id(json_, "annotations", where_))
      read_annotation(*annotation, fmt::format("{}: annotation {}", where_, id));
    return std::move(data_);
  }

 private:
  void read_categories() {
    for (const auto& [id, category] : by_id(json_, "categories", where_)) {
      categories_[id] = data_.categories.size();
      data_.category_ids.push_back(id);
      data_.categories.push_back(
          json_get<std::string>(*category, "name", fmt::format("{}: category {}", where_, id)));
    }
  }

  void read_images() {
    for (const auto& [id, image] : by_id(json_, "images", where_)) {
      std::string where = fmt::format("{}: image {}", where_, id);
      images_[id] = data_.images.size();
      data_.images.push_back({.id = id,
                              .file = json_get<std::string>(*image, "file_name", where),
                              .width = side_of(*image, "width", where),
                              .height = side_of(*image, "height", where),
                              .boxes = {}});
      check_file_name(data_.images.back().file, where);
    }
  }

  std::size_t index_of(const std::map<int64_t, std::size_t>& known, const Json& annotation,
                       const char* key, const std::string& where) const {
    auto id = json_get<int64_t>(annotation, key, where);
    auto found = known.find(id);
    require(found != known.end(), ErrorKind::kInput,
            "{}: {} is {}; expected one of the {} that the file lists", where, key, id,
            known.size());
    return found->second;
  }

  void read_annotation(const Json& annotation, const std::string& where) {
    CocoImage& image = data_.images[index_of(images_, annotation, "image_id", where)];
    CocoBox box = box_of(annotation, where);
    box.category = index_of(categories_, annotation, "category_id", where);
    auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
    double right = box.x + box.width, lower = box.y + box.height;
    bool outside = right <= 0 || lower <= 0 || box.x >= width || box.y >= height;
    box.x = std::clamp(box.x, 0.0, width);
    box.y = std::clamp(box.y, 0.0, height);
    box.width = std::min(right, width) - box.x;
    box.height = std::min(lower, height) - box.y;
    if (outside) {
      leave_out(data_.outside, box, image);
    } else if (box.width < kLeastSide || box.height < kLeastSide) {
      leave_out(data_.empty, box, image);
    } else {
      image.boxes.push_back(box);
    }
  }

  const Json& json_;
  const std::string& where_;
  CocoData data_;
  std::map<int64_t, std::size_t> categories_, images_;  // index by id
};

}  // namespace

CocoData parse_coco(std::string_view text, const std::string& where) {
  Json json = parse_json(text, where);
  return Reader(json, where).read();
}

CocoData read_coco(const std::filesystem::path& path) {
  return parse_coco(read_file(path, kMaxFileBytes), path.string());
}

}  // namespace inlay
