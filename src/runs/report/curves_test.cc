#include "runs/report/curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"

namespace inlay {
namespace {

TEST(Smoothed, FollowsItsFormula) {
  const std::vector<double> y = {1, 4, 2};
  const auto smooth = smoothed({{1, y[0]}, {2, y[1]}, {3, y[2]}}, 0.5);
  EXPECT_NEAR(smooth[0].y, (1 + 0.5 * 4 + 0.25 * 2) / 1.75, 1e-12);
  EXPECT_NEAR(smooth[1].y, (0.5 * 1 + 4 + 0.5 * 2) / 2, 1e-12);
  EXPECT_EQ(smooth[2].x, 3);
}

TEST(Smoothed, LeavesAConstantAlone) {
  for (const Point& point : smoothed(std::vector<Point>(50, {0, 3}), 0.9)) {
    EXPECT_NEAR(point.y, 3, 1e-12);
  }
}

TEST(Smoothed, PassesOverWhatIsNotFinite) {
  const auto smooth = smoothed({{1, 2}, {2, NAN}, {3, 2}}, 0.9);
  EXPECT_NEAR(smooth[0].y, 2, 1e-12);
  EXPECT_TRUE(std::isnan(smooth[1].y));
}

TEST(Thinned, KeepsEverySpikeAndTheOrder) {
  std::vector<Point> points;
  points.reserve(10'000);
  for (int i = 0; i < 10'000; ++i)
    points.push_back({static_cast<double>(i), i == 4321 ? 9.0 : i % 2 * 0.1});
  const auto thin = thinned(points, 200);
  EXPECT_LE(thin.size(), 200u);
  double highest = 0;
  for (std::size_t i = 0; i < thin.size(); ++i) {
    highest = std::max(highest, thin[i].y);
    if (i > 0) {
      EXPECT_LT(thin[i - 1].x, thin[i].x);
    }
  }
  EXPECT_EQ(highest, 9);
  EXPECT_EQ(thinned(points, 10'000).size(), 10'000u);
}

TEST(Curves, MarkTheBestEpoch) {
  const Json curves = parse_json(
      R"({"metric":"F1","best_step":20,
          "validation":[{"step":10,"epoch":1,"value":0.5},{"step":20,"epoch":2,"value":0.75}]})",
      "test");
  const std::string markup = curves_figures(curves).markup();
  EXPECT_NE(markup.find("best 0.750, epoch 2"), std::string::npos);
  EXPECT_NE(markup.find("epoch 1: 0.500"), std::string::npos);
  EXPECT_EQ(markup.find("Loss"), std::string::npos);
}

TEST(Curves, ALongRunDrawsAFewHundredPoints) {
  Json train = Json::array();
  for (int i = 1; i <= 50'000; ++i) train.push_back({{"step", i}, {"loss", 1.0 / i}});
  EXPECT_LT(curves_figures({{"train", train}}).markup().size(), 30'000u);
}

TEST(Curves, ALossThatWasNeverFiniteIsSaidSo) {
  const Json curves = {{"train", {{{"step", 1}, {"loss", nullptr}}}}};
  EXPECT_NE(curves_figures(curves).markup().find("No finite loss was logged."), std::string::npos);
}

}  // namespace
}  // namespace inlay
