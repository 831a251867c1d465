#include "image/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "image/test_images.h"

namespace inlay {
namespace {

Stream item(int i) { return {7, "item " + std::to_string(i)}; }

Image changed(const Image& image, const Augmentation& how, const Stream& stream) {
  return augmented(image, how, stream, 64, 64, Resample::kNearest);
}

// Red counts columns, green rows, blue is 200.
Image coordinates(int64_t width, int64_t height) {
  Image image = blank_image(width, height);
  uint8_t* dst = image.rgb.data();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      *dst++ = static_cast<uint8_t>(x);
      *dst++ = static_cast<uint8_t>(y);
      *dst++ = 200;
    }
  }
  return image;
}

// Columns and rows of coordinates() that are left.
std::pair<int, int> extent(const Image& image) {
  int left = 255, right = 0, top = 255, bottom = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    left = std::min<int>(left, image.rgb[i]);
    right = std::max<int>(right, image.rgb[i]);
    top = std::min<int>(top, image.rgb[i + 1]);
    bottom = std::max<int>(bottom, image.rgb[i + 1]);
  }
  return {right - left + 1, bottom - top + 1};
}

constexpr Augmentation kAll = {.crop_scale = 0.3,
                               .flip = 0.5,
                               .brightness = 0.4,
                               .contrast = 0.4,
                               .saturation = 0.4,
                               .randaugment_ops = 2,
                               .erasing = 0.5,
                               .mixup = 0.2,
                               .cutmix = 1};

TEST(Augmented, ChangesNothingUnlessItIsAskedTo) {
  const Image image = golden_image("rgb.png");
  EXPECT_FALSE(Augmentation{}.any());
  EXPECT_EQ(changed(image, {}, item(0)), image);
  EXPECT_TRUE(Augmentation{.erasing = 0.1}.any());
  EXPECT_TRUE(Augmentation{.randaugment_ops = 1}.any());
}

// They take two pictures, so they change none by itself.
TEST(Augmented, MixingIsNoneOfIts) {
  const Augmentation how = {.mixup = 0.2, .cutmix = 1};
  EXPECT_FALSE(how.any());
  EXPECT_TRUE(how.mixes());
  EXPECT_FALSE(Augmentation{.flip = 0.5}.mixes());
  EXPECT_TRUE(Augmentation{.cutmix = 1}.mixes());
  const Image image = golden_image("rgb.png");
  EXPECT_EQ(changed(image, how, item(0)), image);
}

TEST(Augmented, IsAFunctionOfTheStreamAlone) {
  const Image image = golden_image("rgb.png");
  EXPECT_EQ(changed(image, kAll, item(1)), changed(image, kAll, item(1)));
  EXPECT_NE(changed(image, kAll, item(1)), changed(image, kAll, item(2)));
}

TEST(Augmented, CropsAreTheSameWhetherOtherChangesAreMadeOrNot) {
  const Image image = golden_image("rgb.png");
  for (int i = 0; i < 20; ++i) {
    const Image alone = changed(image, {.crop_scale = 0.3}, item(i));
    EXPECT_EQ(changed(image, {.crop_scale = 0.3, .flip = 1}, item(i)), flipped(alone)) << i;
  }
}

TEST(RandomCrop, KeepsItsShareAndItsAspect) {
  const Image image = coordinates(64, 48);
  double largest = 0, smallest = 1;
  for (int i = 0; i < 200; ++i) {
    const Image part = changed(image, {.crop_scale = 0.25}, item(i));
    EXPECT_EQ(part.width, 64);
    EXPECT_EQ(part.height, 64);
    const auto [width, height] = extent(part);
    const double share = width * height / (64.0 * 48.0);
    EXPECT_GT(share, 0.25 * 0.95) << i;  // sides are whole pixels
    EXPECT_GT(static_cast<double>(width) / height, 0.75 * 0.95) << i;
    EXPECT_LT(static_cast<double>(width) / height, 4.0 / 3 * 1.05) << i;
    largest = std::max(largest, share);
    smallest = std::min(smallest, share);
  }
  EXPECT_GT(largest, 0.85);
  EXPECT_LT(smallest, 0.35);
}

// Nothing of the allowed aspect has so large a share of so long a picture.
TEST(RandomCrop, TakesTheMiddleOfALongPicture) {
  const Image part = changed(coordinates(60, 6), {.crop_scale = 0.9}, item(0));
  EXPECT_EQ(extent(part), (std::pair<int, int>{8, 6}));
  EXPECT_EQ(part.rgb[0], 26);
}

TEST(Flip, HappensAsOftenAsAsked) {
  const Image image = coordinates(5, 4), mirror = flipped(image);
  int count = 0;
  for (int i = 0; i < 1000; ++i) count += changed(image, {.flip = 0.3}, item(i)) == mirror ? 1 : 0;
  EXPECT_NEAR(count, 300, 5 * std::sqrt(1000 * 0.3 * 0.7));
}

TEST(Jitter, StaysWithinItsFactors) {
  const Image grey = grey_row({100});
  int lowest = 255, highest = 0;
  for (int i = 0; i < 200; ++i) {
    const int value = changed(grey, {.brightness = 0.4}, item(i)).rgb[0];
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  EXPECT_GE(lowest, 59);
  EXPECT_LT(lowest, 65);
  EXPECT_LE(highest, 140);
  EXPECT_GT(highest, 135);
  // The only colour of a grey picture is its mean, and it has no saturation.
  EXPECT_EQ(changed(grey, {.contrast = 0.9, .saturation = 0.9}, item(1)), grey);
}

TEST(Erasing, FillsARectangleOfGrey) {
  const Image image = blank_image(40, 30);
  for (int i = 0; i < 100; ++i) {
    const Image erased = changed(image, {.erasing = 1}, item(i));
    int64_t count = 0, left = 40, right = 0, top = 30, bottom = 0;
    for (int64_t p = 0; p < 1200; ++p) {
      const uint8_t value = erased.rgb[static_cast<std::size_t>(3 * p)];
      if (value == 0) continue;
      EXPECT_EQ(value, 128);
      ++count;
      left = std::min(left, p % 40);
      right = std::max(right, p % 40 + 1);
      top = std::min(top, p / 40);
      bottom = std::max(bottom, p / 40 + 1);
    }
    EXPECT_EQ(count, (right - left) * (bottom - top)) << i;
    EXPECT_GE(count, 1200 * 0.015) << i;
    EXPECT_LE(count, 1200 * 0.36) << i;
  }
}

TEST(Augmentation, RefusesValuesOutOfRange) {
  const auto expect_refused = [](const Augmentation& how, std::string_view message) {
    try {
      how.check();
      ADD_FAILURE() << "no error; expected " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_EQ(error.what(), message);
    }
  };
  expect_refused({.crop_scale = 0}, "crop_scale is 0; expected 0.01 to 1");
  expect_refused({.flip = 1.5}, "flip is 1.5; expected 0 to 1");
  expect_refused({.randaugment_magnitude = 31}, "randaugment_magnitude is 31; expected 0 to 30");
  expect_refused({.erasing = std::nan("")}, "erasing is nan; expected 0 to 1");
  expect_refused({.mixup = -0.1}, "mixup is -0.1; expected 0 to 100");
  expect_refused({.cutmix = 101}, "cutmix is 101; expected 0 to 100");
  kAll.check();
}

TEST(Augmentation, IsWrittenAndReadAsText) {
  Augmentation read;
  apply_text(read, to_text(kAll), "augment");
  EXPECT_TRUE(same_fields(read, kAll));
}

}  // namespace
}  // namespace inlay
