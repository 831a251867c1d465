// Whole pictures against PIL's are in rand_augment_test.cc.
#include "image/affine.h"

#include <gtest/gtest.h>

#include "image/exif.h"
#include "image/resize.h"
#include "image/test_images.h"

namespace inlay {
namespace {

TEST(Transformed, LeavesThePictureUnderTheIdentity) {
  const Image image = golden_image("rgb.png");
  EXPECT_EQ(transformed(image, {}), image);
  EXPECT_EQ(transformed(image, rotation(0, image.width, image.height)), image);
}

TEST(Transformed, MovesAndFillsWithBlack) {
  const Image row = grey_row({1, 2, 3, 4});
  EXPECT_EQ(transformed(row, {.c = 1}), grey_row({2, 3, 4, 0}));
  EXPECT_EQ(transformed(row, {.c = -2}), grey_row({0, 0, 1, 2}));
  EXPECT_EQ(transformed(row, {.f = 1}), grey_row({0, 0, 0, 0}));
  EXPECT_EQ(transformed(row, {.a = 0.5}), grey_row({1, 1, 2, 2}));
}

TEST(Rotation, TurnsASquareAnticlockwise) {
  const Image square = crop(golden_image("rgb.png"), 2, 1, 10, 10);
  EXPECT_EQ(transformed(square, rotation(90, 10, 10)), upright(square, 8));
  EXPECT_EQ(transformed(square, rotation(-90, 10, 10)), upright(square, 6));
  EXPECT_EQ(transformed(square, rotation(180, 10, 10)), upright(square, 3));
}

}  // namespace
}  // namespace inlay
