#include "eval/found_objects.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "eval/detection_places.h"
#include "nn/detection_head.h"

namespace inlay {
namespace {

constexpr MapSize kFoundObjectsPicture = {64, 64};
constexpr std::size_t kClasses = 2, kChannels = kClasses + static_cast<std::size_t>(kBoxOutputs);

// Logits of a picture in which nothing is found.
std::vector<float> nothing() {
  return std::vector<float>(detection_places(kFoundObjectsPicture).size() * kChannels, -20);
}

// One found object: its sides in strides, its class surely, its centreness with this logit.
void set(std::vector<float>& logits, std::size_t place, std::size_t class_id,
         const std::array<double, 4>& sides, float centreness) {
  float* row = logits.data() + place * kChannels;
  row[class_id] = 20;
  for (std::size_t i = 0; i < 4; ++i) row[kClasses + i] = static_cast<float>(std::log(sides.at(i)));
  row[kClasses + 4] = centreness;
}

TEST(FoundObjects, AreBoxesAroundTheirPlaces) {
  std::vector<float> logits = nothing();
  set(logits, 18, 1, {0.5, 0.5, 2.5, 1.5}, 0);  // (20, 20) on the finest map
  set(logits, 64, 0, {0.25, 0.25, 9, 1}, 20);   // (8, 8) on the next, beyond the right edge
  std::vector<ScoredBox> found = found_objects(logits, 2, kFoundObjectsPicture);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].class_id, 0);
  EXPECT_NEAR(found[0].score, 1, 1e-6);
  EXPECT_NEAR(found[0].left, 4.0 / 64, 1e-6);
  EXPECT_EQ(found[0].right, 1);
  EXPECT_NEAR(found[0].bottom, 24.0 / 64, 1e-6);
  EXPECT_EQ(found[1].class_id, 1);
  EXPECT_NEAR(found[1].score, std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(found[1].left, 16.0 / 64, 1e-6);
  EXPECT_NEAR(found[1].top, 16.0 / 64, 1e-6);
  EXPECT_NEAR(found[1].right, 40.0 / 64, 1e-6);
  EXPECT_NEAR(found[1].bottom, 32.0 / 64, 1e-6);
}

TEST(FoundObjects, AreFoundOnceWhereSeveralPlacesSeeThem) {
  std::vector<float> logits = nothing();
  set(logits, 18, 1, {0.5, 0.5, 2.5, 1.5}, 0);
  set(logits, 19, 1, {1.5, 0.5, 1.5, 1.5}, 2);
  std::vector<ScoredBox> found = found_objects(logits, 2, kFoundObjectsPicture);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].score, std::sqrt(1 / (1 + std::exp(-2.0))), 1e-6);
  EXPECT_TRUE(found_objects(nothing(), 2, kFoundObjectsPicture).empty());
}

TEST(FoundObjects, StandWideAndUndefinedSides) {
  std::vector<float> logits = nothing();
  set(logits, 18, 1, {1e30, 1e30, 1e30, 1e30}, 20);
  set(logits, 0, 0, {1, 1, 1, 1}, 20);
  logits[kClasses] = NAN;
  std::vector<ScoredBox> found = found_objects(logits, 2, kFoundObjectsPicture);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].right - found[0].left, 1);
}

TEST(FoundObjects, GoThroughNumbersAndBack) {
  std::vector<ScoredBox> boxes{{1, 0.5f, 0.125f, 0.25f, 0.5f, 1}, {0, 0.25f, 0, 0, 1, 0.75f}};
  std::vector<float> numbers = numbers_of_boxes(boxes);
  EXPECT_EQ(numbers.size(), 12u);
  std::vector<ScoredBox> back = boxes_of_numbers(numbers);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].class_id, 1);
  EXPECT_EQ(back[1].bottom, 0.75f);
  EXPECT_EQ(numbers_of_boxes(back), numbers);
}

TEST(ObjectMatches, TakeEachTrueBoxOnce) {
  std::vector<ObjectBox> truth{
      {.class_id = 0, .left = 0, .top = 0, .right = 0.5f, .bottom = 0.5f},
      {.class_id = 1, .left = 0.5f, .right = 1, .bottom = 0.5f},
      {.class_id = 1, .top = 0.5f, .right = 1, .bottom = 1, .crowd = true}};
  std::vector<ScoredBox> found{{0, 0.9f, 0, 0, 0.5f, 0.5f},       // right
                               {0, 0.8f, 0, 0, 0.5f, 0.5f},       // the same again
                               {0, 0.7f, 0.5f, 0, 1, 0.5f},       // of another class
                               {1, 0.6f, 0, 0.5f, 0.25f, 0.75f},  // in the crowd
                               {1, 0.2f, 0.5f, 0, 1, 0.5f}};      // not shown
  ObjectMatches matches = match_objects(found, truth);
  EXPECT_EQ(matches.right, (std::vector<std::size_t>{0}));
  EXPECT_EQ(matches.wrong, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(matches.missed, (std::vector<std::size_t>{1}));
  EXPECT_EQ(matches.mistakes(), 3u);
}

}  // namespace
}  // namespace inlay
