#include "eval/metrics/regression.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Floats = std::vector<float>;

TEST(Regression, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["regression"]) {
    Floats truth = expected["truth"], predicted = expected["predicted"];
    EXPECT_NEAR(mean_squared_error(truth, predicted), expected["mse"], 1e-14);
    EXPECT_NEAR(mean_absolute_error(truth, predicted), expected["mae"], 1e-14);
    EXPECT_NEAR(*pearson(truth, predicted), expected["pearson"], 1e-14);
    EXPECT_NEAR(*spearman(truth, predicted), expected["spearman"], 1e-14);
  }
}

TEST(Correlation, IsOneForAnyRisingLineAndAnyRisingRanks) {
  EXPECT_DOUBLE_EQ(*pearson(Floats{1, 2, 3}, Floats{10, 20, 30}), 1);
  EXPECT_DOUBLE_EQ(*pearson(Floats{1, 2, 3}, Floats{3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(*spearman(Floats{1, 2, 3}, Floats{1, 10, 1000}), 1);
}

TEST(Correlation, IsUndefinedForConstants) {
  EXPECT_FALSE(pearson(Floats{1, 2, 3}, Floats{0.1f, 0.1f, 0.1f}));
  EXPECT_FALSE(spearman(Floats{7, 7}, Floats{1, 2}));
  EXPECT_FALSE(pearson(Floats{1}, Floats{2}));
}

TEST(Correlation, IsUndefinedForWhatIsNotFinite) {
  EXPECT_FALSE(pearson(Floats{1, 2}, Floats{1, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_FALSE(spearman(Floats{1, 2}, Floats{1, std::numeric_limits<float>::infinity()}));
}

}  // namespace
}  // namespace inlay
