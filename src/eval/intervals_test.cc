#include "eval/intervals.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Intervals, ThatOfAnF1HoldsItAndNarrowsWithMoreExamples) {
  std::vector<PrecisionRecall> examples;
  for (int i = 0; i < 40; ++i)
    examples.push_back({.hits = i % 4 == 0 ? 0 : 1, .support = 1, .predicted = 1});
  std::optional<Interval> few = f1_interval(examples);
  for (int i = 0; i < 3; ++i)
    examples.insert(examples.end(), examples.begin(), examples.begin() + 40);
  std::optional<Interval> many = f1_interval(examples);
  ASSERT_TRUE(few.has_value() && many.has_value());
  EXPECT_LT(few->low, 0.75);
  EXPECT_GT(few->high, 0.75);
  EXPECT_LT(many->high - many->low, few->high - few->low);
}

TEST(Intervals, WhereNothingIsPresentThereIsNone) {
  Json metrics = Json::object();
  add_interval(metrics, "entity_f1", f1_interval(std::vector<PrecisionRecall>(5)));
  EXPECT_TRUE(metrics.empty());
  add_interval(metrics, "entity_f1", Interval{.low = 0.25, .high = 0.5});
  EXPECT_EQ(metrics.at("entity_f1_interval"), Json({0.25, 0.5}));
}

}  // namespace
}  // namespace inlay
