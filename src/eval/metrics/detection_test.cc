#include "eval/metrics/detection.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {
namespace {

using Found = std::vector<ScoredBox>;
using Truth = std::vector<ObjectBox>;

// A box of a quarter of the picture's width and the whole of its height.
ScoredBox quarter(float score, int column, std::int32_t id = 0) {
  float left = 0.25f * static_cast<float>(column);
  return {
      .class_id = id, .score = score, .left = left, .top = 0, .right = left + 0.25f, .bottom = 1};
}
ObjectBox object(int column, std::int32_t id = 0, bool crowd = false) {
  ScoredBox box = quarter(0, column, id);
  return {.class_id = id,
          .left = box.left,
          .top = box.top,
          .right = box.right,
          .bottom = box.bottom,
          .crowd = crowd};
}

DetectionScores scores_of(const Found& found, const Truth& truth, std::size_t classes = 1) {
  std::vector<DetectedImage> images{{found, truth}};
  return detection_scores(images, classes);
}

TEST(BoxIou, IsTheCommonAreaOverTheUnitedOne) {
  ScoredBox a{.left = 0, .top = 0, .right = 2, .bottom = 2};
  ScoredBox b{.left = 1, .top = 0, .right = 4, .bottom = 2};
  EXPECT_DOUBLE_EQ(box_iou(a, b), 2.0 / 8);
  EXPECT_DOUBLE_EQ(box_iou(a, a), 1);
  EXPECT_EQ(box_iou(a, ScoredBox{.left = 3, .top = 3, .right = 4, .bottom = 4}), 0);
  EXPECT_EQ(box_iou(ScoredBox{}, ScoredBox{}), 0);
  ObjectBox crowd{.left = 1, .top = 0, .right = 4, .bottom = 2, .crowd = true};
  EXPECT_DOUBLE_EQ(box_iou(a, crowd), 0.5);
}

TEST(NonMaximumSuppression, KeepsTheBestOfBoxesThatOverlapInAClass) {
  ScoredBox best = quarter(0.9f, 0), near = quarter(0.8f, 0), other = quarter(0.7f, 0, 1);
  near.bottom = 0.75f;  // an overlap of 3 / 4
  Found boxes{other, near, quarter(0.5f, 1), best};
  Found kept = non_maximum_suppression(boxes, 0.5, 10);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].score, 0.9f);
  EXPECT_EQ(kept[1].score, 0.7f);
  EXPECT_EQ(kept[2].score, 0.5f);
  EXPECT_EQ(non_maximum_suppression(boxes, 0.75, 10).size(), 4u);
  EXPECT_EQ(non_maximum_suppression(boxes, 0.5, 2).size(), 2u);
  EXPECT_TRUE(non_maximum_suppression({}, 0.5, 2).empty());
}

TEST(NonMaximumSuppression, KeepsTheEarlierOfEqualScores) {
  ScoredBox first = quarter(0.5f, 0), second = quarter(0.5f, 0);
  second.bottom = 0.9f;
  EXPECT_EQ(non_maximum_suppression({first, second}, 0.5, 9).at(0).bottom, 1);
  EXPECT_EQ(non_maximum_suppression({second, first}, 0.5, 9).at(0).bottom, 0.9f);
}

TEST(DetectionScores, ReadsThePrecisionAt101Recalls) {
  // Right, wrong, right: 51 recalls at precision 1 and 50 at 2 / 3.
  DetectionScores scores =
      scores_of({quarter(0.9f, 0), quarter(0.8f, 3), quarter(0.7f, 1)}, {object(0), object(1)});
  EXPECT_NEAR(*scores.ap, 0.834983, 5e-7);
  EXPECT_NEAR(*scores.ap, (51 + 50 * 2.0 / 3) / 101, 1e-14);
  EXPECT_DOUBLE_EQ(*scores.ap50, *scores.ap75);
  EXPECT_DOUBLE_EQ(*scores.average_recall, 1);
}

TEST(DetectionScores, AreOneForWhatIsThereAndZeroForNothing) {
  DetectionScores all = scores_of({quarter(0.3f, 1), quarter(0.9f, 0)}, {object(0), object(1)});
  EXPECT_DOUBLE_EQ(*all.ap, 1);
  EXPECT_DOUBLE_EQ(*all.ap75, 1);
  DetectionScores none = scores_of({}, {object(0)});
  EXPECT_EQ(*none.ap, 0);
  EXPECT_EQ(*none.average_recall, 0);
}

TEST(DetectionScores, ABoxThatIsFoundTwiceIsWrongOnce) {
  // The second one stands before the other object's: 1, 1 / 2, 2 / 3.
  DetectionScores scores =
      scores_of({quarter(0.9f, 0), quarter(0.8f, 0), quarter(0.7f, 1)}, {object(0), object(1)});
  EXPECT_NEAR(*scores.ap, (51 + 50 * 2.0 / 3) / 101, 1e-14);
}

TEST(DetectionScores, LeaveOutClassesThatAreNowhere) {
  DetectionScores scores = scores_of({quarter(0.9f, 0), quarter(0.8f, 0, 1)}, {object(0)}, 3);
  EXPECT_DOUBLE_EQ(*scores.ap, 1);
  EXPECT_TRUE(scores.class_ap[0].has_value());
  EXPECT_FALSE(scores.class_ap[1].has_value());
  EXPECT_FALSE(scores.class_ap[2].has_value());
  EXPECT_FALSE(scores_of({quarter(0.9f, 0)}, {}).ap.has_value());
}

TEST(DetectionScores, CountWhatLiesInACrowdNeitherWay) {
  Truth truth{object(3, 0, true), object(0)};
  Found found{quarter(0.9f, 3), quarter(0.8f, 3), quarter(0.7f, 0)};
  EXPECT_DOUBLE_EQ(*scores_of(found, truth).ap, 1);
  truth[0].crowd = false;
  EXPECT_LT(*scores_of(found, truth).ap, 1);
  // A crowd alone is nothing that could be found.
  EXPECT_FALSE(scores_of(found, {object(3, 0, true)}).ap.has_value());
}

TEST(DetectionScores, PreferAnObjectToACrowdAroundIt) {
  ObjectBox crowd{.class_id = 0, .left = 0, .top = 0, .right = 1, .bottom = 1, .crowd = true};
  ScoredBox loose = quarter(0.9f, 0);
  loose.bottom = 0.8f;  // 0.8 of the object, the whole in the crowd
  EXPECT_DOUBLE_EQ(*scores_of({loose}, {crowd, object(0)}).ap50, 1);
}

TEST(DetectionScores, TakeEqualScoresInTheOrderOfThePictures) {
  Found right{quarter(0.5f, 0)}, wrong{quarter(0.5f, 3)};
  Truth truth{object(0)}, nothing;
  std::vector<DetectedImage> right_first{{right, truth}, {wrong, nothing}};
  std::vector<DetectedImage> wrong_first{{wrong, nothing}, {right, truth}};
  EXPECT_DOUBLE_EQ(*detection_scores(right_first, 1).ap, 1);
  EXPECT_DOUBLE_EQ(*detection_scores(wrong_first, 1).ap, 0.5);
}

Found found_in(const Json& image) {
  Found boxes;
  boxes.reserve(image["found"].size());
  for (const Json& row : image["found"]) {
    boxes.push_back({.class_id = row[0].get<std::int32_t>(),
                     .score = row[1].get<float>(),
                     .left = row[2].get<float>(),
                     .top = row[3].get<float>(),
                     .right = row[4].get<float>(),
                     .bottom = row[5].get<float>()});
  }
  return boxes;
}

Truth truth_in(const Json& image) {
  Truth boxes;
  boxes.reserve(image["truth"].size());
  for (const Json& row : image["truth"]) {
    boxes.push_back({.class_id = row[0].get<std::int32_t>(),
                     .left = row[2].get<float>(),
                     .top = row[3].get<float>(),
                     .right = row[4].get<float>(),
                     .bottom = row[5].get<float>(),
                     .crowd = row[1] == 1});
  }
  return boxes;
}

TEST(DetectionScores, AgreeWithThePlainDefinition) {
  const Json expected = read_json(source_dir() / "tests/golden/metrics/detection.json");
  std::vector<Found> found;
  std::vector<Truth> truth;
  found.reserve(expected["images"].size());
  truth.reserve(expected["images"].size());
  for (const Json& image : expected["images"]) {
    found.push_back(found_in(image));
    truth.push_back(truth_in(image));
  }
  std::vector<DetectedImage> images;
  images.reserve(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) images.push_back({found[i], truth[i]});
  DetectionScores scores = detection_scores(images, expected["classes"].get<std::size_t>());
  EXPECT_NEAR(*scores.ap, expected["ap"].get<double>(), 1e-12);
  EXPECT_NEAR(*scores.ap50, expected["ap50"].get<double>(), 1e-12);
  EXPECT_NEAR(*scores.ap75, expected["ap75"].get<double>(), 1e-12);
  EXPECT_NEAR(*scores.average_recall, expected["average_recall"].get<double>(), 1e-12);
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(*scores.class_ap[c], expected["class_ap"][c].get<double>(), 1e-12);
  EXPECT_FALSE(scores.class_ap[3].has_value());
}

}  // namespace
}  // namespace inlay
