#include "image/preprocessor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kLargestSide = 4096;
constexpr int64_t kSmallestSquashed = 384;  // ConvNeXT crops below this size
constexpr std::array<float, 3> kHalves = {0.5f, 0.5f, 0.5f};

enum class Cropping { kNever, kUnlessSaid, kWhereSaid };

// What Hugging Face's classes take where a file is silent.
struct Processor {
  std::string_view stem;  // of the class: ViT is ViTImageProcessor, -Fast, ViTFeatureExtractor
  int64_t size;
  bool size_is_edge;  // a number is the shortest edge, not a square
  Resample resample;
  Cropping cropping;
  std::array<float, 3> mean = kHalves, deviation = kHalves;
};

constexpr std::array<float, 3> kClipMean = {0.48145466f, 0.4578275f, 0.40821073f};
constexpr std::array<float, 3> kClipDeviation = {0.26862954f, 0.26130258f, 0.27577711f};

constexpr Processor kProcessors[] = {
    {"ViT", 224, false, Resample::kBilinear, Cropping::kNever},
    {"DeiT", 256, false, Resample::kBicubic, Cropping::kUnlessSaid},
    {"ConvNext", 384, true, Resample::kBicubic, Cropping::kNever},
    {"MobileNetV1", 256, true, Resample::kBilinear, Cropping::kUnlessSaid},
    {"MobileNetV2", 256, true, Resample::kBilinear, Cropping::kUnlessSaid},
    {"Bit", 224, true, Resample::kBicubic, Cropping::kUnlessSaid, kClipMean, kClipDeviation},
    {"CLIP", 224, true, Resample::kBicubic, Cropping::kUnlessSaid, kClipMean, kClipDeviation},
};
constexpr Processor kGeneral = {"", 224, false, Resample::kBilinear, Cropping::kWhereSaid};

Processor processor_of(const Json& config, const std::string& where) {
  const auto old_name = json_get_or<std::string>(config, "feature_extractor_type", "", where);
  const auto name = json_get_or<std::string>(config, "image_processor_type", old_name, where);
  for (const Processor& processor : kProcessors) {
    for (const char* ending : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
      if (name == fmt::format("{}{}", processor.stem, ending)) return processor;
    }
  }
  return kGeneral;
}

// What else Hugging Face's classes do; without it, pixels would silently be others.
void require_no_more(const Json& config, const std::string& where) {
  for (const char* key : {"do_flip_channel_order", "do_pad", "rescale_offset", "include_top"}) {
    require(!json_get_or<bool>(config, key, false, where), ErrorKind::kInput,
            "{}: \"{}\" is true, which is not supported; images are resized, cropped, rescaled and "
            "normalised",
            where, key);
  }
}

// Either an edge, or a height and a width.
struct Size {
  int64_t edge = 0, height = 0, width = 0;
};

int64_t side(const Json& value, const char* key, const std::string& where) {
  const auto pixels = value.is_number_integer() ? value.get<int64_t>() : 0;
  require(pixels >= 1 && pixels <= kLargestSide, ErrorKind::kInput,
          "{}: a side in \"{}\" is {}; expected 1 to {} pixels", where, key,
          value.dump().substr(0, 60), kLargestSide);
  return pixels;
}

// A number, [height, width], {"height", "width"} or {"shortest_edge"}.
Size parse_size(const Json& value, const char* key, bool number_is_edge, const std::string& where) {
  if (value.is_number()) {
    const int64_t length = side(value, key, where);
    return number_is_edge ? Size{.edge = length} : Size{.height = length, .width = length};
  }
  if (value.is_array() && value.size() == 2)
    return {.height = side(value[0], key, where), .width = side(value[1], key, where)};
  if (value.is_object() && value.size() == 2 && value.contains("height") && value.contains("width"))
    return {.height = side(value["height"], key, where), .width = side(value["width"], key, where)};
  if (value.is_object() && value.size() == 1 && value.contains("shortest_edge"))
    return {.edge = side(value["shortest_edge"], key, where)};
  fail(ErrorKind::kInput,
       "{}: \"{}\" is {}; expected a number, {{\"height\", \"width\"}} or {{\"shortest_edge\"}}",
       where, key, value.dump().substr(0, 60));
}

Size size_of(const Json& config, const Processor& processor, const std::string& where) {
  const auto found = config.find("size");
  const Json value = found == config.end() || found->is_null() ? Json(processor.size) : *found;
  return parse_size(value, "size", processor.size_is_edge, where);
}

Size crop_size_of(const Json& config, const std::string& where) {
  const auto found = config.find("crop_size");
  if (found == config.end() || found->is_null()) return {.height = 224, .width = 224};
  const Size size = parse_size(*found, "crop_size", false, where);
  require(size.edge == 0, ErrorKind::kInput,
          "{}: \"crop_size\" has a shortest edge; expected {{\"height\", \"width\"}}", where);
  return size;
}

bool crops(const Json& config, Cropping cropping, const std::string& where) {
  if (cropping == Cropping::kNever) return false;
  return json_get_or<bool>(config, "do_center_crop", cropping == Cropping::kUnlessSaid, where);
}

void set_size(Preprocessor& result, const Size& size) {
  result.shortest_edge = size.edge;
  if (size.edge > 0) return;
  result.height = size.height;
  result.width = size.width;
}

void set_crop(Preprocessor& result, int64_t height, int64_t width) {
  result.crops = true;
  result.crop_height = height;
  result.crop_width = width;
}

// ConvNeXT has one size: a square without a crop where it is large, else the crop from a somewhat
// larger picture.
void set_edge_of_convnext(Preprocessor& result, int64_t edge, double share) {
  if (edge >= kSmallestSquashed) {
    set_size(result, {.height = edge, .width = edge});
    return;
  }
  set_size(result, {.edge = static_cast<int64_t>(static_cast<double>(edge) / share)});
  set_crop(result, edge, edge);
}

double crop_share(const Json& config, const std::string& where) {
  const auto share = json_get_or<double>(config, "crop_pct", 224.0 / 256, where);
  require(share >= 0.1 && share <= 1, ErrorKind::kInput,
          "{}: \"crop_pct\" is {}; expected a share of 0.1 to 1", where, share);
  return share;
}

void read_geometry(const Json& config, Preprocessor& result, const std::string& where) {
  const Processor processor = processor_of(config, where);
  result.resizes = json_get_or<bool>(config, "do_resize", true, where);
  result.resample = resample_from_number(
      json_get_or<int64_t>(config, "resample", static_cast<int64_t>(processor.resample), where),
      where);
  const Size size = size_of(config, processor, where);
  set_size(result, size);
  if (crops(config, processor.cropping, where)) {
    const Size crop_size = crop_size_of(config, where);
    set_crop(result, crop_size.height, crop_size.width);
  }
  if (processor.stem == "ConvNext" && result.resizes && size.edge > 0)
    set_edge_of_convnext(result, size.edge, crop_share(config, where));
  require(result.crops || (result.resizes && result.shortest_edge == 0), ErrorKind::kInput,
          "{}: images of different shapes would stay so, and a base reads one size; expected "
          "\"size\" with \"height\" and \"width\", or \"do_center_crop\"",
          where);
}

float number_within(const Json& value, const char* key, double least, double most,
                    const std::string& where) {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  require(number >= least && number <= most, ErrorKind::kInput,
          "{}: \"{}\" has {}; expected numbers of {} to {}", where, key, value.dump().substr(0, 60),
          least, most);
  return static_cast<float>(number);
}

// One number for all channels or one for each.
std::array<float, 3> channel_values(const Json& config, const char* key,
                                    const std::array<float, 3>& otherwise, double least,
                                    const std::string& where) {
  constexpr double kMost = 1e6;
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return otherwise;
  std::array<float, 3> values = {};
  if (!found->is_array()) {
    values.fill(number_within(*found, key, least, kMost, where));
    return values;
  }
  require(found->size() == values.size(), ErrorKind::kInput,
          "{}: \"{}\" has {} numbers; expected 3, for red, green and blue", where, key,
          found->size());
  for (std::size_t c = 0; c < values.size(); ++c)
    values[c] = number_within((*found)[c], key, least, kMost, where);
  return values;
}

void read_scales(const Json& config, Preprocessor& result, const std::string& where) {
  if (json_get_or<bool>(config, "do_rescale", true, where)) {
    result.rescale = json_get_or<double>(config, "rescale_factor", 1.0 / 255, where);
    require(result.rescale > 0 && result.rescale <= 255, ErrorKind::kInput,
            "{}: \"rescale_factor\" is {}; expected more than 0 and at most 255", where,
            result.rescale);
  } else {
    result.rescale = 1;
  }
  if (!json_get_or<bool>(config, "do_normalize", true, where)) return;
  const Processor processor = processor_of(config, where);
  result.mean = channel_values(config, "image_mean", processor.mean, -1e6, where);
  result.deviation = channel_values(config, "image_std", processor.deviation, 1e-6, where);
}

// As short as a float can be written: 0.485, not 0.48500001430511475.
Json short_number(float value) { return std::stod(fmt::format("{}", value)); }

Json channel_json(const std::array<float, 3>& values) {
  return {short_number(values[0]), short_number(values[1]), short_number(values[2])};
}

// The class of Hugging Face's whose steps these are.
const char* class_of(const Preprocessor& preprocessor) {
  if (!preprocessor.crops) return "ViTImageProcessor";
  return preprocessor.shortest_edge > 0 ? "BitImageProcessor" : "DeiTImageProcessor";
}

Image resized(const Image& image, const Preprocessor& preprocessor) {
  const int64_t edge = preprocessor.shortest_edge;
  if (edge == 0)
    return resize(image, preprocessor.width, preprocessor.height, preprocessor.resample);
  // The long side's fraction is cut off, as get_resize_output_image_size() of Transformers does.
  const int64_t longer =
      edge * std::max(image.width, image.height) / std::min(image.width, image.height);
  const bool is_upright = image.width <= image.height;
  return resize(image, is_upright ? edge : longer, is_upright ? longer : edge,
                preprocessor.resample);
}

}  // namespace

Preprocessor read_preprocessor(const std::filesystem::path& folder) {
  constexpr std::size_t kLargestFile = 1u << 20;
  const std::filesystem::path path = folder / "preprocessor_config.json";
  require(std::filesystem::exists(path), ErrorKind::kInput,
          "{} is missing; a base for images says in it what it reads", path.string());
  return parse_preprocessor(read_json(path, kLargestFile), path.string());
}

Preprocessor parse_preprocessor(const Json& config, const std::string& where) {
  require(config.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}", where,
          config.type_name());
  require_no_more(config, where);
  Preprocessor result;
  read_geometry(config, result, where);
  read_scales(config, result, where);
  return result;
}

Json preprocessor_json(const Preprocessor& preprocessor) {
  Json config = {{"image_processor_type", class_of(preprocessor)},
                 {"do_resize", preprocessor.resizes},
                 {"resample", static_cast<int64_t>(preprocessor.resample)},
                 {"do_center_crop", preprocessor.crops},
                 {"do_rescale", preprocessor.rescale != 1},
                 {"rescale_factor", preprocessor.rescale},
                 {"do_normalize", true},
                 {"image_mean", channel_json(preprocessor.mean)},
                 {"image_std", channel_json(preprocessor.deviation)}};
  if (preprocessor.shortest_edge > 0) {
    config["size"]["shortest_edge"] = preprocessor.shortest_edge;
  } else {
    config["size"]["height"] = preprocessor.height;
    config["size"]["width"] = preprocessor.width;
  }
  if (preprocessor.crops) {
    config["crop_size"]["height"] = preprocessor.crop_height;
    config["crop_size"]["width"] = preprocessor.crop_width;
  }
  return config;
}

Image fitted(const Image& image, const Preprocessor& preprocessor) {
  Image whole = preprocessor.resizes ? resized(image, preprocessor) : image;
  if (!preprocessor.crops) return whole;
  return center_crop(whole, preprocessor.crop_width, preprocessor.crop_height);
}

void normalise(const Image& image, const Preprocessor& preprocessor, float* pixels) {
  // In float32 from the second step on, as Transformers computes it.
  std::array<std::array<float, 3>, 256> values;
  for (std::size_t v = 0; v < values.size(); ++v) {
    const auto scaled = static_cast<float>(static_cast<double>(v) * preprocessor.rescale);
    for (std::size_t c = 0; c < 3; ++c)
      values[v][c] = (scaled - preprocessor.mean[c]) / preprocessor.deviation[c];
  }
  for (std::size_t i = 0; i < image.rgb.size(); ++i) pixels[i] = values[image.rgb[i]][i % 3];
}

}  // namespace inlay
