// Whole pictures against PIL's are in rand_augment_test.cc.
#include "image/enhance.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "image/test_images.h"

namespace inlay {
namespace {

TEST(Enhance, LeavesThePictureAtFactorOne) {
  const Image image = golden_image("rgb.png");
  for (const auto change : {with_brightness, with_contrast, with_saturation, with_sharpness})
    EXPECT_EQ(change(image, 1), image);
}

TEST(Enhance, BlendsWithoutRoundingAndWithinTheRange) {
  EXPECT_EQ(with_brightness(grey_row({0, 3, 200}), 1.5), grey_row({0, 4, 255}));
  EXPECT_EQ(with_brightness(grey_row({0, 3, 200}), 0), grey_row({0, 0, 0}));
  // The mean of 0, 100 and 201 is 100.33, so the grey is 100.
  EXPECT_EQ(with_contrast(grey_row({0, 100, 201}), 0.5), grey_row({50, 100, 150}));
  EXPECT_EQ(with_contrast(grey_row({0, 100, 201}), 2), grey_row({0, 100, 255}));
}

TEST(Enhance, TakesTheGreyOfAColourByItsLuma) {
  Image red = blank_image(1, 1);
  red.rgb = {200, 0, 0};
  EXPECT_EQ(with_saturation(red, 0), grey_row({60}));  // 200 x 0.299 = 59.8
}

TEST(Enhance, SoftensInsideOfTheBorder) {
  Image image = blank_image(3, 3);
  std::fill_n(image.rgb.begin() + 12, 3, uint8_t{130});
  const Image soft = with_sharpness(image, 0);
  EXPECT_EQ(soft.rgb[12], 50);  // 130 x 5 / 13
  image.rgb[12] = image.rgb[13] = image.rgb[14] = 50;
  EXPECT_EQ(soft, image);
}

TEST(Posterized, KeepsTheUpperBits) {
  EXPECT_EQ(posterized(grey_row({0, 77, 255}), 4), grey_row({0, 64, 240}));
  EXPECT_EQ(posterized(grey_row({0, 77, 255}), 8), grey_row({0, 77, 255}));
}

TEST(Solarized, InvertsFromTheThresholdOn) {
  EXPECT_EQ(solarized(grey_row({0, 127, 128, 255}), 128), grey_row({0, 127, 127, 0}));
}

TEST(AutoContrasted, StretchesToTheWholeRange) {
  EXPECT_EQ(auto_contrasted(grey_row({50, 100, 150})), grey_row({0, 127, 255}));
  EXPECT_EQ(auto_contrasted(grey_row({50, 50})), grey_row({50, 50}));
}

TEST(Equalized, LeavesAPictureOfOneColourAndSpreadsTwo) {
  EXPECT_EQ(equalized(blank_image(20, 20)), blank_image(20, 20));
  Image halves = blank_image(1, 510);
  std::fill(halves.rgb.begin() + 765, halves.rgb.end(), uint8_t{9});
  const Image result = equalized(halves);
  EXPECT_EQ(result.rgb.front(), 0);
  EXPECT_EQ(result.rgb.back(), 255);
}

}  // namespace
}  // namespace inlay
