#include "eval/metrics/ranking.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Floats = std::vector<float>;
using Flags = std::vector<std::uint8_t>;

TEST(AverageRanks, AgreeWithTheReference) {
  for (const Json& expected : expected_metrics()["ranking"]) {
    EXPECT_EQ(average_ranks(expected["scores"].get<Floats>()),
              expected["ranks"].get<std::vector<double>>());
  }
}

TEST(RocAuc, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["ranking"]) {
    EXPECT_NEAR(*roc_auc(expected["scores"].get<Floats>(), expected["positive"].get<Flags>()),
                expected["auc"], 1e-14);
  }
}

TEST(RocAuc, OneAgainstTheRestAgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["probabilities"]) {
    auto auc = roc_auc_one_vs_rest(expected["probabilities"].get<Floats>(),
                                   expected["truth"].get<std::vector<std::int32_t>>(),
                                   expected["classes"]);
    EXPECT_NEAR(*auc, expected["auc_one_vs_rest"], 1e-14);
  }
}

TEST(RocAuc, CountsTiesAsHalf) {
  // Pairs (positive, negative): 3 > 1, 3 > 2, 2 > 1, 2 = 2: (3 + 1/2) / 4.
  EXPECT_DOUBLE_EQ(*roc_auc(Floats{1, 2, 2, 3}, Flags{0, 0, 1, 1}), 3.5 / 4);
  EXPECT_DOUBLE_EQ(*roc_auc(Floats{5, 5, 5}, Flags{0, 1, 0}), 0.5);
}

TEST(RocAuc, IsUndefinedWithoutBothKinds) {
  EXPECT_FALSE(roc_auc(Floats{1, 2}, Flags{1, 1}));
  EXPECT_FALSE(roc_auc(Floats{1, 2}, Flags{0, 0}));
  EXPECT_FALSE(roc_auc(Floats{}, Flags{}));
}

TEST(RocAuc, OneAgainstTheRestLeavesAbsentClassesOut) {
  Floats scores = {0.8f, 0.2f, 0.0f, 0.3f, 0.7f, 0.0f};
  EXPECT_DOUBLE_EQ(*roc_auc_one_vs_rest(scores, std::vector<std::int32_t>{0, 1}, 3), 1.0);
  EXPECT_FALSE(roc_auc_one_vs_rest(scores, std::vector<std::int32_t>{1, 1}, 3));
}

TEST(RocAuc, RefusesScoresThatAreNoNumbers) {
  EXPECT_THROW(roc_auc(Floats{1, std::numeric_limits<float>::quiet_NaN()}, Flags{0, 1}), Error);
}

}  // namespace
}  // namespace inlay
