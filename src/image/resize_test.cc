#include "image/resize.h"

#include <gtest/gtest.h>

#include "image/test_images.h"

namespace inlay {
namespace {

TEST(Resize, GivesTheBytesOfPilWithEveryFilterUpAndDown) {
  const Goldens goldens;
  const Image source = golden_image("rgb.png");
  ASSERT_EQ(goldens.cases.at("resize").size(), 42u);
  for (const Json& golden : goldens.cases.at("resize")) {
    const Image wanted = goldens.expected(golden);
    const Resample filter = resample_from_number(golden.at("filter").get<int64_t>(), "cases.json");
    expect_same(resize(source, wanted.width, wanted.height, filter), wanted, golden.dump());
  }
}

TEST(Resize, AveragesAndKeepsAFlatPicture) {
  const Image row = grey_row({10, 20, 31, 40});
  EXPECT_EQ(resize(row, 2, 1, Resample::kBox), grey_row({15, 36}));
  const Image flat = grey_row({77, 77, 77});
  EXPECT_EQ(resize(flat, 5, 1, Resample::kLanczos), grey_row({77, 77, 77, 77, 77}));
  EXPECT_EQ(resize(row, 4, 1, Resample::kBicubic), row);
}

TEST(Resize, RefusesSizesThatAreNothingOrTooLarge) {
  const Image row = grey_row({1, 2, 3});
  expect_input_error([&] { resize(row, 0, 5, Resample::kBox); }, "0 x 5 pixels");
  expect_input_error([&] { resize(row, 40000, 5, Resample::kBox); }, "40000 x 5 pixels");
  expect_input_error([&] { resize(row, 30000, 30000, Resample::kBox); }, "at most 67108864 in all");
  const Image tall = blank_image(1, 4000);
  expect_input_error([&] { resize(tall, 30000, 2000, Resample::kBilinear); },
                     "120000000 pixels in between");
}

TEST(ResampleFromNumber, KnowsPilsNumbersAlone) {
  EXPECT_EQ(resample_from_number(3, "x"), Resample::kBicubic);
  expect_input_error([] { resample_from_number(6, "a.json"); }, "a.json: \"resample\" is 6");
  expect_input_error([] { resample_from_number(-1, "a.json"); }, "\"resample\" is -1");
}

TEST(Crop, IsBlackOutsideOfThePicture) {
  const Image row = grey_row({1, 2, 3});
  EXPECT_EQ(crop(row, 1, 0, 2, 1), grey_row({2, 3}));
  EXPECT_EQ(crop(row, -1, 0, 5, 1), grey_row({0, 1, 2, 3, 0}));
  EXPECT_EQ(crop(row, 3, 0, 2, 1), grey_row({0, 0}));
  EXPECT_EQ(crop(row, 0, 5, 2, 1), grey_row({0, 0}));
  const Image padded = crop(row, 0, -1, 3, 3);
  EXPECT_EQ(std::vector<uint8_t>(padded.rgb.begin() + 9, padded.rgb.begin() + 18), row.rgb);
}

// By the formulas of Transformers' center_crop: top is the floor of half the difference.
TEST(CenterCrop, RoundsAsTransformersDoes) {
  EXPECT_EQ(center_crop(grey_row({1, 2, 3, 4}), 1, 1), grey_row({2}));
  EXPECT_EQ(center_crop(grey_row({1, 2, 3}), 2, 1), grey_row({1, 2}));
  EXPECT_EQ(center_crop(grey_row({1, 2, 3}), 4, 1), grey_row({0, 1, 2, 3}));
  EXPECT_EQ(center_crop(grey_row({1, 2, 3}), 5, 1), grey_row({0, 1, 2, 3, 0}));
}

TEST(Flipped, MirrorsWholePixels) {
  const Image image = golden_image("rgb.png");
  const Image mirror = flipped(image);
  for (int64_t y = 0; y < image.height; ++y)
    EXPECT_EQ(crop(mirror, 0, y, 1, 1), crop(image, image.width - 1, y, 1, 1)) << y;
  EXPECT_EQ(flipped(mirror), image);
}

}  // namespace
}  // namespace inlay
