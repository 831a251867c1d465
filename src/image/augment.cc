#include "image/augment.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "image/enhance.h"
#include "image/rand_augment.h"

namespace inlay {
namespace {

// Which numbers of the stream each change has, whether others are made or not.
constexpr uint64_t kCrop = 0;  // four for each try
constexpr uint64_t kFlip = 64, kBrightness = 65, kContrast = 66, kSaturation = 67;
constexpr uint64_t kErase = 68;
constexpr uint64_t kErased = 72;  // four for each try
constexpr uint64_t kRandAugment = 128;

constexpr uint64_t kTries = 10;
constexpr int64_t kMostOperations = 16;
constexpr uint8_t kGrey = 128;
constexpr double kLargestMixing = 100;

struct Range {
  double least, most;
};

struct Region {
  int64_t left, top, width, height;
};

double drawn(const Stream& stream, uint64_t element, const Range& range) {
  return range.least + (range.most - range.least) * static_cast<double>(stream.uniform(element));
}

// 0 to `most`.
int64_t drawn_offset(const Stream& stream, uint64_t element, int64_t most) {
  const double offset = drawn(stream, element, {0, static_cast<double>(most + 1)});
  return std::min(most, static_cast<int64_t>(offset));
}

// A rectangle of a share of the picture in `area` and of width over height in `aspect`, whose
// logarithm is uniform (Szegedy et al. 2015, section 6).
std::optional<Region> drawn_region(const Image& image, const Range& area, const Range& aspect,
                                   const Stream& stream, uint64_t first) {
  const Range logarithm = {std::log(aspect.least), std::log(aspect.most)};
  for (uint64_t element = first; element < first + 4 * kTries; element += 4) {
    const double pixels =
        drawn(stream, element, area) * static_cast<double>(image.width * image.height);
    const double ratio = std::exp(drawn(stream, element + 1, logarithm));
    const int64_t width = std::llround(std::sqrt(pixels * ratio));
    const int64_t height = std::llround(std::sqrt(pixels / ratio));
    if (width < 1 || width > image.width || height < 1 || height > image.height) continue;
    return Region{drawn_offset(stream, element + 2, image.width - width),
                  drawn_offset(stream, element + 3, image.height - height), width, height};
  }
  return std::nullopt;
}

// The largest part in the middle with an aspect within the range.
Region middle_region(const Image& image, const Range& aspect) {
  const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
  const double wanted = std::clamp(width / height, aspect.least, aspect.most);
  const int64_t new_width = std::clamp<int64_t>(std::llround(height * wanted), 1, image.width);
  const int64_t new_height = std::clamp<int64_t>(std::llround(width / wanted), 1, image.height);
  return {(image.width - new_width) / 2, (image.height - new_height) / 2, new_width, new_height};
}

Image randomly_cropped(const Image& image, double least_share, const Stream& stream) {
  constexpr Range kAspect = {3.0 / 4, 4.0 / 3};
  const Region region = drawn_region(image, {least_share, 1}, kAspect, stream, kCrop)
                            .value_or(middle_region(image, kAspect));
  return crop(image, region.left, region.top, region.width, region.height);
}

double jitter_factor(const Stream& stream, uint64_t element, double strength) {
  return drawn(stream, element, {std::max(0.0, 1 - strength), 1 + strength});
}

Image jittered(Image image, const Augmentation& how, const Stream& stream) {
  if (how.brightness > 0)
    image = with_brightness(image, jitter_factor(stream, kBrightness, how.brightness));
  if (how.contrast > 0)
    image = with_contrast(image, jitter_factor(stream, kContrast, how.contrast));
  if (how.saturation > 0)
    image = with_saturation(image, jitter_factor(stream, kSaturation, how.saturation));
  return image;
}

// Zhong et al. 2017, "Random Erasing Data Augmentation".
void erase(Image& image, const Stream& stream) {
  constexpr Range kArea = {0.02, 0.33}, kAspect = {0.3, 3.3};
  const std::optional<Region> region = drawn_region(image, kArea, kAspect, stream, kErased);
  if (!region) return;
  for (int64_t y = region->top; y < region->top + region->height; ++y)
    std::fill_n(image.rgb.data() + (y * image.width + region->left) * 3, region->width * 3, kGrey);
}

bool happens(const Stream& stream, uint64_t element, double probability) {
  return static_cast<double>(stream.uniform(element)) < probability;
}

void require_within(const char* name, double value, const Range& range) {
  require(value >= range.least && value <= range.most, ErrorKind::kUsage,
          "{} is {}; expected {} to {}", name, value, range.least, range.most);
}

}  // namespace

bool Augmentation::any() const {
  return crop_scale < 1 || flip > 0 || brightness > 0 || contrast > 0 || saturation > 0 ||
         randaugment_ops > 0 || erasing > 0;
}

bool Augmentation::mixes() const { return mixup > 0 || cutmix > 0; }

void Augmentation::check() const {
  require_within("crop_scale", crop_scale, {0.01, 1});
  require_within("flip", flip, {0, 1});
  require_within("brightness", brightness, {0, 10});
  require_within("contrast", contrast, {0, 10});
  require_within("saturation", saturation, {0, 10});
  require_within("randaugment_ops", static_cast<double>(randaugment_ops), {0, kMostOperations});
  require_within("randaugment_magnitude", static_cast<double>(randaugment_magnitude),
                 {0, kLargestMagnitude});
  require_within("erasing", erasing, {0, 1});
  require_within("mixup", mixup, {0, kLargestMixing});
  require_within("cutmix", cutmix, {0, kLargestMixing});
}

void Augmentation::fields(FieldVisitor& visit) {
  visit("crop_scale", crop_scale,
        "least share of the picture that a random crop keeps; 1: no cropping");
  visit("flip", flip, "probability of mirroring left and right");
  visit("brightness", brightness, "brightness times 1 - v to 1 + v");
  visit("contrast", contrast, "contrast times 1 - v to 1 + v");
  visit("saturation", saturation, "saturation times 1 - v to 1 + v");
  visit("randaugment_ops", randaugment_ops, "so many operations of RandAugment");
  visit("randaugment_magnitude", randaugment_magnitude, "their strength, 0 to 30");
  visit("erasing", erasing, "probability that a rectangle is filled with grey");
  visit("mixup", mixup,
        "two pictures become one, pixel by pixel, by a share from Beta(v, v); 0: not");
  visit("cutmix", cutmix,
        "a rectangle is another picture's, by a share from Beta(v, v); 0: not; beside mixup one of "
        "the two");
}

Image augmented(const Image& image, const Augmentation& how, const Stream& stream, int64_t width,
                int64_t height, Resample filter) {
  how.check();
  Image result = image;
  if (how.crop_scale < 1)
    result = resize(randomly_cropped(image, how.crop_scale, stream), width, height, filter);
  if (happens(stream, kFlip, how.flip)) result = flipped(result);
  result =
      rand_augmented(result, how.randaugment_ops, how.randaugment_magnitude, stream, kRandAugment);
  result = jittered(std::move(result), how, stream);
  if (happens(stream, kErase, how.erasing)) erase(result, stream);
  return result;
}

}  // namespace inlay
