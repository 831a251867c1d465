#include "train/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace inlay {
namespace {

std::vector<double> factors(const char* name, int64_t steps, int64_t warmup) {
  std::vector<double> all;
  for (int64_t step = 0; step < steps; ++step)
    all.push_back(schedule_factor(name, step, steps, warmup));
  return all;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

TEST(Schedule, WarmsUpInALineAndFallsInALine) {
  expect_near(factors("linear", 8, 4), {0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25});
}

TEST(Schedule, FallsAlongHalfACosine) {
  expect_near(factors("cosine", 4, 0),
              {1, 0.5 + 0.5 * 0.70710678118654752, 0.5, 0.5 - 0.5 * 0.70710678118654752});
}

TEST(Schedule, MayStayConstant) { expect_near(factors("constant", 5, 2), {0.5, 1, 1, 1, 1}); }

TEST(Schedule, EveryStepMovesAndNoneIsAboveThePeak) {
  for (const char* name : {"linear", "cosine", "constant"}) {
    for (double factor : factors(name, 97, 6)) {
      EXPECT_GT(factor, 0) << name;
      EXPECT_LE(factor, 1) << name;
    }
  }
}

}  // namespace
}  // namespace inlay
