#include "base/log.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Log, WritesPlainLinesToStderrOnly) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  log_info("read {} rows {{as is}} %s", 3);
  log_warn("{} is empty", "data.csv");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "read 3 rows {as is} %s\nwarning: data.csv is empty\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(Log, DropsWhatIsBelowTheLevel) {
  testing::internal::CaptureStderr();
  log_debug("not at the level the program starts with");
  set_log_level(LogLevel::kWarn);
  log_info("not this");
  log_warn("this");
  set_log_level(LogLevel::kInfo);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: this\n");
}

}  // namespace
}  // namespace inlay
