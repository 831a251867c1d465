#include "runs/report/values.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace inlay {
namespace {

TEST(Values, AreWrittenInTheirFormat) {
  EXPECT_EQ(format_value(0.90656, ValueFormat::kNumber), "0.907");
  EXPECT_EQ(format_value(123.44, ValueFormat::kNumber), "123.4");
  EXPECT_EQ(format_value(12345.6, ValueFormat::kNumber), "12,346");
  EXPECT_EQ(format_value(0.914, ValueFormat::kPercent), "91.4 %");
  EXPECT_EQ(format_value(2914, ValueFormat::kCount), "2,914");
  EXPECT_EQ(format_value(4.12e8, ValueFormat::kBytes), "412 MB");
  EXPECT_EQ(format_value(74.2, ValueFormat::kSeconds), "1 min 14 s");
}

TEST(Values, AreNeverOutOfRange) {
  for (const auto format : {ValueFormat::kNumber, ValueFormat::kPercent, ValueFormat::kCount,
                            ValueFormat::kBytes, ValueFormat::kSeconds}) {
    EXPECT_EQ(format_value(NAN, format), "–");
    EXPECT_FALSE(format_value(1e300, format).empty());
    EXPECT_FALSE(format_value(-1e300, format).empty());
  }
}

TEST(Values, AnIntervalHasOneUnit) {
  EXPECT_EQ(format_interval(0.889, 0.934, ValueFormat::kPercent), "88.9–93.4 %");
  EXPECT_EQ(format_interval(0.889, NAN, ValueFormat::kPercent), "");
}

TEST(Values, AQuantityMayBeTextOrMissing) {
  EXPECT_EQ(quantity_of({{"label", "x"}, {"value", "bf16"}}).value, "bf16");
  EXPECT_EQ(quantity_of({{"label", "x"}, {"value", nullptr}}).value, "–");
  EXPECT_EQ(
      quantity_of({{"label", "x"}, {"value", 3}, {"format", "count"}, {"unit", "tok/s"}}).value,
      "3 tok/s");
}

TEST(Values, AnotherTypeIsAnError) {
  EXPECT_THROW(quantity_of({{"label", 3}}), Error);
  EXPECT_THROW(quantity_of({{"label", "x"}, {"format", "percents"}}), Error);
  EXPECT_THROW(number_in({{"loss", "low"}}, "loss"), Error);
  EXPECT_THROW(list_in({{"rows", 3}}, "rows"), Error);
  EXPECT_THROW(texts_of({1, 2}), Error);
}

}  // namespace
}  // namespace inlay
