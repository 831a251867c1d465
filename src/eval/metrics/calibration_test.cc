#include "eval/metrics/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Floats = std::vector<float>;
using Flags = std::vector<std::uint8_t>;

TEST(LogLoss, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["probabilities"]) {
    double loss = log_loss(expected["probabilities"].get<Floats>(),
                           expected["truth"].get<std::vector<std::int32_t>>(), expected["classes"]);
    EXPECT_NEAR(loss, expected["log_loss"], 1e-12);
  }
}

TEST(LogLoss, IsFiniteForAProbabilityOfZero) {
  EXPECT_DOUBLE_EQ(log_loss(Floats{1, 0}, std::vector<std::int32_t>{1}, 2), 52 * std::log(2.0));
}

// Bins of width 1/15: 0.75 and 0.75 fall in (11/15, 12/15], 0.5 in (7/15, 8/15], 1 in the last.
// Right: 1 of 2, 0 of 1, 1 of 1. Gaps |1/2 - 0.75|, |0 - 0.5|, |1 - 1|, weighted 2/4, 1/4, 1/4:
// 0.125 + 0.125 = 0.25.
TEST(CalibrationError, WeighsTheGapsOfTheBins) {
  EXPECT_DOUBLE_EQ(expected_calibration_error(Floats{0.75f, 0.75f, 0.5f, 1.0f}, Flags{1, 0, 0, 1}),
                   0.25);
}

TEST(CalibrationError, IsZeroWhenConfidenceIsTheShareOfRightAnswers) {
  EXPECT_DOUBLE_EQ(expected_calibration_error(Floats{0.5f, 0.5f, 0.75f, 0.75f, 0.75f, 0.75f},
                                              Flags{1, 0, 1, 1, 1, 0}),
                   0);
  EXPECT_DOUBLE_EQ(expected_calibration_error(Floats{0.0f, 1.0f}, Flags{0, 1}), 0);
}

TEST(CalibrationError, RefusesWhatIsNoProbability) {
  EXPECT_THROW(expected_calibration_error(Floats{1.5f}, Flags{1}), Error);
  EXPECT_THROW(expected_calibration_error(Floats{std::nanf("")}, Flags{1}), Error);
}

}  // namespace
}  // namespace inlay
