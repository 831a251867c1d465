#include "runs/report/axis.h"

#include <gtest/gtest.h>

#include <cmath>

namespace inlay {
namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> result;
  for (const double tick : axis.ticks()) result.push_back(axis.label(tick));
  return result;
}

using Labels = std::vector<std::string>;

TEST(Axis, GoesFromOneRoundNumberToAnother) {
  EXPECT_EQ(labels(Axis::around({0.61, 0.907}, 0, 1)), (Labels{"0.6", "0.7", "0.8", "0.9", "1.0"}));
  EXPECT_EQ(labels(Axis::around({0, 2600}, 0, 1)), (Labels{"0", "1,000", "2,000", "3,000"}));
}

TEST(Axis, OrCoversExactlyTheData) {
  const Axis axis = Axis::exactly({0, 480}, 48, 440);
  EXPECT_EQ(labels(axis), (Labels{"0", "100", "200", "300", "400"}));
  EXPECT_DOUBLE_EQ(axis.place(0), 48);
  EXPECT_DOUBLE_EQ(axis.place(480), 440);
}

TEST(Axis, RunsEitherWay) {
  const Axis axis = Axis::exactly({0, 1}, 100, 0);
  EXPECT_DOUBLE_EQ(axis.place(0.25), 75);
}

TEST(Axis, StaysFiniteForAnyData) {
  const double big = 1.7e308;
  for (const Interval data :
       {Interval{0, 0}, Interval{5, 5}, Interval{-big, big}, Interval{1e-300, 2e-300},
        Interval{big, big}, Interval{1, std::nextafter(1.0, 2.0)}}) {
    const Axis axis = Axis::around(data, 0, 100);
    EXPECT_TRUE(std::isfinite(axis.place(data.low)) && std::isfinite(axis.place(data.high)));
    EXPECT_GE(axis.ticks().size(), 1u);
    EXPECT_LE(axis.ticks().size(), 100u);
  }
}

TEST(Interval, PassesOverWhatIsNotFinite) {
  const Interval found = interval_of({NAN, 3, INFINITY, -1});
  EXPECT_EQ(found.low, -1);
  EXPECT_EQ(found.high, 3);
  EXPECT_EQ(interval_of({NAN}).high, 1);
}

}  // namespace
}  // namespace inlay
