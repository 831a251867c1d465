#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Flags = std::vector<std::uint8_t>;

// The share of set flags among the rows.
ResampledMetric share_of(const Flags& flags) {
  return [&flags](std::span<const std::size_t> rows) -> std::optional<double> {
    double sum = 0;
    for (std::size_t row : rows) sum += flags[row];
    return sum / static_cast<double>(rows.size());
  };
}

Flags flags(std::size_t n, std::size_t set) {
  Flags result(n, 0);
  std::fill(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(set), 1);
  return result;
}

TEST(Wilson, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["statistics"]["wilson"]) {
    Interval interval = wilson_interval(expected["hits"], expected["n"]);
    EXPECT_NEAR(interval.low, expected["low"], 1e-12) << expected;
    EXPECT_NEAR(interval.high, expected["high"], 1e-12) << expected;
  }
}

TEST(McNemarTest, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["statistics"]["mcnemar"]) {
    std::size_t only_a = expected["only_a"], only_b = expected["only_b"];
    Flags a = flags(only_a + only_b, only_a), b;
    for (std::uint8_t flag : a) b.push_back(!flag);
    a.insert(a.end(), {1, 0});  // where both are right or both wrong nothing is learnt
    b.insert(b.end(), {1, 0});
    McNemar test = mcnemar(a, b);
    EXPECT_EQ(test.only_a, expected["only_a"]);
    EXPECT_NEAR(test.p, expected["p"], 1e-10) << expected;
  }
}

TEST(McNemarTest, IsOneWithoutADifference) { EXPECT_EQ(mcnemar(flags(5, 3), flags(5, 3)).p, 1); }

TEST(Quantile, AgreesWithTheReference) {
  const Json& expected = expected_metrics()["statistics"];
  auto values = expected["values"].get<std::vector<double>>();
  for (const Json& point : expected["quantiles"])
    EXPECT_DOUBLE_EQ(quantile(values, point["q"]), point["value"]);
}

// For a share the bootstrap's spread is that of the binomial distribution: 0.8 ± 1.96 sqrt(0.8 *
// 0.2 / 400) = ± 0.0392.
TEST(Bootstrap, OfAShareIsAsWideAsTheory) {
  Flags right = flags(400, 320);
  Interval interval = *bootstrap_interval(400, share_of(right), {.seed = 1});
  EXPECT_NEAR(interval.low, 0.8 - 0.0392, 0.006);
  EXPECT_NEAR(interval.high, 0.8 + 0.0392, 0.006);
}

TEST(Bootstrap, DependsOnTheSeedOnly) {
  Flags right = flags(97, 60);
  auto low = [&](std::uint64_t seed) {
    return bootstrap_interval(97, share_of(right), {.seed = seed})->low;
  };
  EXPECT_EQ(low(1), low(1));
  EXPECT_GT(std::set<double>({low(1), low(2), low(3), low(4)}).size(), 1u);
}

TEST(Bootstrap, HasNoIntervalWhereTheMetricIsMostlyUndefined) {
  auto undefined = [](std::span<const std::size_t>) { return std::optional<double>(); };
  EXPECT_FALSE(bootstrap_interval(10, undefined, {.seed = 1}));
}

TEST(Bootstrap, OfAConstantIsAPoint) {
  Interval interval = *bootstrap_interval(10, share_of(flags(10, 10)), {.seed = 1});
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 1);
}

TEST(PairedBootstrap, SeesASmallDifferenceBetweenTwoThatMostlyAgree) {
  // 90 % against 86 % on the same 300 examples: intervals of each overlap, that of the difference
  // leaves out 0.
  Flags better = flags(300, 270), worse = flags(300, 258);
  Interval difference = *paired_bootstrap(300, share_of(better), share_of(worse), {.seed = 1});
  EXPECT_GT(difference.low, 0);
  EXPECT_LT(bootstrap_interval(300, share_of(better), {.seed = 1})->low,
            bootstrap_interval(300, share_of(worse), {.seed = 1})->high);
}

TEST(PairedBootstrap, OfASystemWithItselfIsZero) {
  Flags right = flags(50, 30);
  Interval difference = *paired_bootstrap(50, share_of(right), share_of(right), {.seed = 1});
  EXPECT_EQ(difference.low, 0);
  EXPECT_EQ(difference.high, 0);
}

}  // namespace
}  // namespace inlay
