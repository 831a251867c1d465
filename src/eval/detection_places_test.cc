#include "eval/detection_places.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autograd/ops/losses.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr MapSize kPicture = {64, 64};  // maps of 8 x 8, 4 x 4 and 2 x 2

ObjectBox pixels(int32_t class_id, float left, float top, float right, float bottom) {
  return {.class_id = class_id,
          .left = left / 64,
          .top = top / 64,
          .right = right / 64,
          .bottom = bottom / 64};
}

std::vector<std::size_t> places_of(const PlaceTargets& targets, int32_t class_id) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < targets.classes.size(); ++i) {
    if (targets.classes[i] == class_id) places.push_back(i);
  }
  return places;
}

TEST(DetectionPlaces, AreTheMiddlesOfCellsLevelByLevel) {
  std::vector<DetectionPlace> places = detection_places({64, 32});
  ASSERT_EQ(places.size(), 8u * 4 + 4 * 2 + 2 * 1);
  EXPECT_EQ(places[5].x, 12);  // the second line of four columns
  EXPECT_EQ(places[5].y, 12);
  EXPECT_EQ(places[32].x, 8);
  EXPECT_EQ(places[32].level, 1u);
  EXPECT_EQ(places[41].y, 48);
  EXPECT_EQ(places[41].stride(), 32);
}

TEST(DetectionPlaces, AskForPicturesOfWholeCells) {
  try {
    detection_places({100, 96});
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("image_size such as 96"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(detection_places({0, 0}), Error);
}

// A box of 24 x 16 pixels around (28, 24): of the finest map alone, as no side is further than 64,
// and of its cells those within 12 pixels of the middle.
TEST(DetectionTargets, BelongToTheCellsAroundTheMiddleOfABox) {
  std::vector<ObjectBox> boxes{pixels(3, 16, 16, 40, 32)};
  PlaceTargets targets = targets_of_places(boxes, kPicture);
  // Columns 2, 3 and 4 (x = 20, 28, 36), lines 2 and 3 (y = 20, 28).
  EXPECT_EQ(places_of(targets, 3), (std::vector<std::size_t>{18, 19, 20, 26, 27, 28}));
  EXPECT_EQ(targets.in_boxes, 6);
  EXPECT_EQ(targets.sides[18], (std::array<float, 4>{0.5f, 0.5f, 2.5f, 1.5f}));
  EXPECT_NEAR(targets.centreness[18], std::sqrt(4.0 / 20 * 4 / 12), 1e-6);
  EXPECT_NEAR(targets.centreness[19], std::sqrt(1.0 / 3), 1e-6);
  EXPECT_EQ(targets.centreness[0], -1);
  EXPECT_EQ(targets.classes[0], -1);
}

TEST(DetectionTargets, PlacesInSeveralBoxesBelongToTheSmallest) {
  std::vector<ObjectBox> boxes{pixels(1, 4, 4, 60, 56), pixels(2, 16, 16, 40, 32)};
  PlaceTargets targets = targets_of_places(boxes, kPicture);
  EXPECT_EQ(places_of(targets, 2).size(), 6u);
  // The larger one has x = 28 and 36 with y = 20, 28 and 36, of which the last is free.
  EXPECT_EQ(places_of(targets, 1), (std::vector<std::size_t>{35, 36}));
}

TEST(DetectionTargets, LargeBoxesBelongToCoarseLevels) {
  MapSize large = {256, 256};
  ObjectBox whole{.class_id = 0, .left = 0, .top = 0, .right = 1, .bottom = 1};
  PlaceTargets targets = targets_of_places({&whole, 1}, large);
  std::size_t finer = 32 * 32 + 16 * 16;
  std::vector<std::size_t> places = places_of(targets, 0);
  ASSERT_FALSE(places.empty());
  EXPECT_GE(places.front(), finer);
  // Four sides of 112 to 144 pixels: the four cells around the middle, and those 48 pixels away are
  // within 1.5 strides no more.
  EXPECT_EQ(places.size(), 4u);
}

TEST(DetectionTargets, CrowdsCountNeitherWay) {
  std::vector<ObjectBox> boxes{pixels(0, 0, 0, 64, 64), pixels(3, 16, 16, 40, 32)};
  boxes[0].crowd = true;
  PlaceTargets targets = targets_of_places(boxes, kPicture);
  EXPECT_EQ(targets.in_boxes, 6);
  EXPECT_EQ(places_of(targets, kIgnoredLabel).size(), targets.classes.size() - 6);
}

}  // namespace
}  // namespace inlay
