#include "base/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace inlay {
namespace {

TEST(Units, CountsHaveThousandsSeparators) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
  EXPECT_EQ(format_count(-123), "-123");
  EXPECT_EQ(format_count(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Units, BytesHaveThreeDigitsAndDecimalUnits) {
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1500), "1.50 kB");
  EXPECT_EQ(format_bytes(999'499), "999 kB");
  EXPECT_EQ(format_bytes(999'500), "1.00 MB");
  EXPECT_EQ(format_bytes(43'210'000), "43.2 MB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "18.4 EB");
}

TEST(Units, SecondsRoundWithoutEverShowingSixty) {
  EXPECT_EQ(format_seconds(0.841), "0.84 s");
  EXPECT_EQ(format_seconds(59.94), "59.9 s");
  EXPECT_EQ(format_seconds(59.96), "1 min 00 s");
  EXPECT_EQ(format_seconds(185), "3 min 05 s");
  EXPECT_EQ(format_seconds(3599.6), "1 h 00 min");
  EXPECT_EQ(format_seconds(7620), "2 h 07 min");
  EXPECT_EQ(format_seconds(std::numeric_limits<double>::quiet_NaN()), "– s");
}

TEST(Units, PercentHasThreeDigits) {
  EXPECT_EQ(format_percent(0.914), "91.4 %");
  EXPECT_EQ(format_percent(0.00312), "0.31 %");
  EXPECT_EQ(format_percent(1), "100 %");
}

}  // namespace
}  // namespace inlay
