#include "hub/picture_families.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(PictureFamily, IsTheNameWithoutWhatMakesAVariant) {
  EXPECT_EQ(picture_family("food/fruit/apple_red.png"), "food/fruit/apple");
  EXPECT_EQ(picture_family("food/fruit/apple_fuji.png"), "food/fruit/apple_fuji");
  EXPECT_EQ(picture_family("a/grave-b.png"), "a/grave");
  EXPECT_EQ(picture_family("a/pig_golden2.png"), "a/pig");
  EXPECT_EQ(picture_family("a/gnu-baby-stand.png"), "a/gnu");
  EXPECT_EQ(picture_family("a/frog-1.png"), "a/frog");
  EXPECT_EQ(picture_family("a/frog.png"), "a/frog");
  EXPECT_EQ(picture_family("a/stoplight_01_red.png"), "a/stoplight");
  EXPECT_EQ(picture_family("plants/flowers/flower10.png"), "plants/flowers/flower");
  EXPECT_EQ(picture_family("Owl.png"), "owl");
}

TEST(PictureFamily, KeepsANameThatIsAllVariant) {
  EXPECT_EQ(picture_family("math/7.png"), "math/7");
  EXPECT_EQ(picture_family("letters/a_filled.png"), "letters/a");
  EXPECT_EQ(picture_family("letters/a.png"), "letters/a");
  EXPECT_EQ(picture_family("x/red.png"), "x/red");
  EXPECT_EQ(picture_family("x/001.png"), "x/001");
}

TEST(PictureFamily, DoesNotCrossFolders) {
  EXPECT_NE(picture_family("cats/lion.png"), picture_family("cats/cartoon/lion.png"));
}

}  // namespace
}  // namespace inlay
