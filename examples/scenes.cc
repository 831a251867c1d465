// Composes pictures with boxes, to train and test a detector on, from the stamps that `inlay pull
// tux-stamps` gives: one to four stamps of the eight largest categories on a background that is
// plain, a gradient or noise. No stamp is in the train and the test pictures, nor a variant of it.
//
//   scenes STAMPS_FOLDER OUT [--seed N]       OUT/train.json, OUT/train/*.png and those of the test
//
// The same seed gives the same bytes.
#include <fmt/core.h>
#include <png.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "data/dataset.h"
#include "image/resize.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCategories = 8;
constexpr int64_t kSide = 256;                         // of a picture
constexpr int64_t kLeastStamp = 40, kMostStamp = 140;  // its longer side in a picture
constexpr int64_t kMostObjects = 4, kTries = 50;
constexpr double kMostCovered = 0.3;  // of the smaller of two objects
constexpr uint8_t kSeen = 16;         // opacity from which a pixel belongs to an object

// A cut-out: its colours as far as they cover what is below, and how far that is.
struct Stamp {
  Image colour, cover;
};

// Random numbers of one picture, one after the other.
class Draw {
 public:
  Draw(uint64_t seed, std::string_view name) : stream_(seed, name) {}
  double share() { return double{stream_.uniform(next_++)}; }
  // From first to last, both among them.
  int64_t from_to(int64_t first, int64_t last) {
    auto range = static_cast<uint64_t>(last - first + 1);
    return first + static_cast<int64_t>(stream_.below(range, next_++));
  }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(from_to(0, static_cast<int64_t>(list.size()) - 1))];
  }

 private:
  Stream stream_;
  uint64_t next_ = 0;
};

// (height, width, 4), with its transparency, which decode_image() would lay on white.
std::vector<uint8_t> read_rgba(const fs::path& path, int64_t& width, int64_t& height) {
  std::string bytes = read_file(path);
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  bool begun = png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) != 0;
  width = png.width;
  height = png.height;
  require(begun && width * height <= ImageLimits{}.pixels, ErrorKind::kInput,
          "{}: no PNG that is read: {}", path.string(), static_cast<const char*>(png.message));
  png.format = PNG_FORMAT_RGBA;
  std::vector<uint8_t> samples(PNG_IMAGE_SIZE(png));
  require(png_image_finish_read(&png, nullptr, samples.data(), 0, nullptr) != 0, ErrorKind::kInput,
          "{}: a truncated or corrupt PNG: {}", path.string(),
          static_cast<const char*>(png.message));
  return samples;
}

struct Rectangle {
  int64_t left, top, right, bottom;
  int64_t width() const { return right - left; }
  int64_t height() const { return bottom - top; }
  int64_t area() const { return std::max<int64_t>(0, width()) * std::max<int64_t>(0, height()); }
};

// The least one around all that is seen.
Rectangle seen_part(const Image& cover) {
  Rectangle seen{cover.width, cover.height, 0, 0};
  for (int64_t y = 0; y < cover.height; ++y) {
    for (int64_t x = 0; x < cover.width; ++x) {
      if (cover.rgb[static_cast<std::size_t>((y * cover.width + x) * 3)] < kSeen) continue;
      seen = {std::min(seen.left, x), std::min(seen.top, y), std::max(seen.right, x + 1),
              std::max(seen.bottom, y + 1)};
    }
  }
  return seen;
}

// So that the longer side has this length.
Stamp scaled(const Stamp& stamp, int64_t longer) {
  int64_t most = std::max(stamp.cover.width, stamp.cover.height);
  int64_t width = std::max<int64_t>(1, stamp.cover.width * longer / most);
  int64_t height = std::max<int64_t>(1, stamp.cover.height * longer / most);
  return {resize(stamp.colour, width, height, Resample::kBilinear),
          resize(stamp.cover, width, height, Resample::kBilinear)};
}

Stamp read_stamp(const fs::path& path) {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgba = read_rgba(path, width, height);
  Stamp whole{blank_image(width, height), blank_image(width, height)};
  for (std::size_t i = 0; i < rgba.size() / 4; ++i) {
    int alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      whole.colour.rgb[3 * i + c] = static_cast<uint8_t>((rgba[4 * i + c] * alpha + 127) / 255);
      whole.cover.rgb[3 * i + c] = static_cast<uint8_t>(alpha);
    }
  }
  Rectangle seen = seen_part(whole.cover);
  require(seen.area() > 0, ErrorKind::kInput, "{}: nothing of it is seen", path.string());
  Stamp stamp{crop(whole.colour, seen.left, seen.top, seen.width(), seen.height()),
              crop(whole.cover, seen.left, seen.top, seen.width(), seen.height())};
  bool large = std::max(seen.width(), seen.height()) > kMostStamp;
  return large ? scaled(stamp, kMostStamp) : stamp;
}

struct Category {
  std::string name;
  std::vector<Stamp> train, test;
};

// A fifth of all groups, whatever the seed.
bool is_test_group(const std::string& group) { return sha256(group)[0] % 5 == 0; }

std::vector<Category> read_categories(const fs::path& folder) {
  Dataset data =
      load_dataset({.from = {.paths = {folder.string()}}, .kind = TaskKind::kImageLabel});
  std::vector<std::vector<const Example*>> examples(data.classes.size());
  for (const Example& example : data.examples)
    examples[static_cast<std::size_t>(example.class_id)].push_back(&example);
  std::stable_sort(examples.begin(), examples.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  require(examples.size() >= kCategories, ErrorKind::kInput,
          "{}: {} categories; expected at least {}", folder.string(), examples.size(), kCategories);
  std::vector<Category> categories;
  categories.reserve(kCategories);
  for (std::size_t c = 0; c < kCategories; ++c) {
    Category category{.name = data.classes[static_cast<std::size_t>(examples[c][0]->class_id)]};
    for (const Example* example : examples[c]) {
      bool tests = is_test_group(example->group.empty() ? example->text : example->group);
      (tests ? category.test : category.train).push_back(read_stamp(folder / example->text));
    }
    require(!category.train.empty() && !category.test.empty(), ErrorKind::kInput,
            "{}: the category {} has {} stamps to train on and {} to test with; expected some",
            folder.string(), category.name, category.train.size(), category.test.size());
    categories.push_back(std::move(category));
  }
  return categories;
}

// A few random colours drawn out over the picture: one, those of the corners, or many.
Image background(Draw& draw) {
  int64_t colours = draw.one_of(std::vector<int64_t>{1, 2, 32});
  Image small = blank_image(colours, colours);
  int64_t spread = colours > 1 ? draw.from_to(10, 90) : 0;
  for (std::size_t c = 0; c < 3; ++c) {
    int64_t middle = draw.from_to(0, 255);
    for (std::size_t i = c; i < small.rgb.size(); i += 3) {
      int64_t value = middle + draw.from_to(-spread, spread);
      small.rgb[i] = static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255));
    }
  }
  return resize(small, kSide, kSide, Resample::kBilinear);
}

void lay_on(Image& picture, const Stamp& stamp, const Rectangle& place) {
  for (int64_t y = 0; y < place.height(); ++y) {
    for (int64_t i = 0; i < place.width() * 3; ++i) {
      auto from = static_cast<std::size_t>(y * place.width() * 3 + i);
      auto to = static_cast<std::size_t>(((place.top + y) * kSide + place.left) * 3 + i);
      int below = (255 - stamp.cover.rgb[from]) * picture.rgb[to];
      int value = stamp.colour.rgb[from] + (below + 127) / 255;
      picture.rgb[to] = static_cast<uint8_t>(std::min(value, 255));
    }
  }
}

struct Object {
  std::size_t category;
  Rectangle place;
};

bool is_free(const Rectangle& place, const std::vector<Object>& objects) {
  return std::all_of(objects.begin(), objects.end(), [&](const Object& object) {
    const Rectangle& other = object.place;
    Rectangle common{std::max(place.left, other.left), std::max(place.top, other.top),
                     std::min(place.right, other.right), std::min(place.bottom, other.bottom)};
    auto smaller = static_cast<double>(std::min(place.area(), other.area()));
    return static_cast<double>(common.area()) <= kMostCovered * smaller;
  });
}

struct Scene {
  Image picture;
  std::vector<Object> objects;
};

// Sets one more object, where it finds a place for it.
void add_object(Scene& scene, const std::vector<Category>& categories, bool tests, Draw& draw) {
  auto category = static_cast<std::size_t>(draw.from_to(0, static_cast<int64_t>(kCategories) - 1));
  const Category& of = categories[category];
  const Stamp& drawn = draw.one_of(tests ? of.test : of.train);
  Stamp stamp = scaled(drawn, draw.from_to(kLeastStamp, kMostStamp));
  if (draw.share() < 0.5) stamp = {flipped(stamp.colour), flipped(stamp.cover)};
  int64_t width = stamp.cover.width, height = stamp.cover.height;
  for (int64_t i = 0; i < kTries; ++i) {
    int64_t left = draw.from_to(0, kSide - width), top = draw.from_to(0, kSide - height);
    Rectangle place{left, top, left + width, top + height};
    if (!is_free(place, scene.objects)) continue;
    lay_on(scene.picture, stamp, place);
    scene.objects.push_back({category, place});
    return;
  }
}

Scene make_scene(const std::vector<Category>& categories, bool tests, Draw draw) {
  Scene scene{background(draw), {}};
  int64_t objects = draw.from_to(1, kMostObjects);
  for (int64_t i = 0; i < objects; ++i) add_object(scene, categories, tests, draw);
  return scene;
}

// A part's annotations as COCO has them.
class Annotations {
 public:
  explicit Annotations(const std::vector<Category>& categories) {
    for (std::size_t c = 0; c < categories.size(); ++c)
      categories_.push_back({{"id", c + 1}, {"name", categories[c].name}});
  }

  void add(const std::string& file, const std::vector<Object>& objects) {
    std::size_t image = images_.size() + 1;
    images_.push_back({{"id", image}, {"file_name", file}, {"width", kSide}, {"height", kSide}});
    for (const auto& [category, place] : objects) {
      annotations_.push_back({{"id", annotations_.size() + 1},
                              {"image_id", image},
                              {"category_id", category + 1},
                              {"bbox", {place.left, place.top, place.width(), place.height()}},
                              {"area", place.area()},
                              {"iscrowd", 0}});
    }
  }

  std::string text() const {
    return canonical_json(
               {{"images", images_}, {"categories", categories_}, {"annotations", annotations_}}) +
           "\n";
  }

 private:
  Json images_ = Json::array(), categories_ = Json::array(), annotations_ = Json::array();
};

void write_picture(const fs::path& path, const Image& picture) {
  std::ofstream file(path, std::ios::binary);
  file << encode_png(picture);
  file.close();
  require(file.good(), ErrorKind::kIo, "{}: could not be written", path.string());
}

void make_part(const std::vector<Category>& categories, const std::string& part, int64_t count,
               const fs::path& out, uint64_t seed) {
  fs::create_directories(out / part);
  Annotations annotations(categories);
  for (int64_t i = 1; i <= count; ++i) {
    Scene scene =
        make_scene(categories, part == "test", Draw(seed, fmt::format("scene/{}/{}", part, i)));
    std::string file = fmt::format("{:05}.png", i);
    write_picture(out / part / file, scene.picture);
    annotations.add(file, scene.objects);
  }
  write_file_atomically(out / (part + ".json"), annotations.text());
}

void make_scenes(const fs::path& stamps, const fs::path& out, uint64_t seed) {
  std::vector<Category> categories = read_categories(stamps);
  make_part(categories, "train", 2000, out, seed);
  make_part(categories, "test", 500, out, seed);
  for (const Category& category : categories) {
    fmt::print("{}: {} stamps to train on, {} to test with\n", category.name, category.train.size(),
               category.test.size());
  }
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) try {
  bool seeded = argc == 5 && std::string_view(argv[3]) == "--seed";
  if (argc != 3 && !seeded)
    return fmt::print(stderr, "usage: scenes STAMPS_FOLDER OUT [--seed N]\n"), 2;
  inlay::make_scenes(argv[1], argv[2], seeded ? std::stoull(argv[4]) : 1);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "scenes: {}\n", error.what());
  return 1;
}
