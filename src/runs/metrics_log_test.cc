#include "runs/metrics_log.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class MetricsLogTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }

  void log_steps(int64_t first, int64_t last) {
    MetricsLog log(path_);
    for (int64_t step = first; step <= last; ++step) log.append({{"step", step}, {"loss", 0.1}});
  }

  fs::path path_ = fs::path(testing::TempDir()) / "metrics_log_test.jsonl";
};

TEST_F(MetricsLogTest, ARecordIsInTheFileWhenAppendReturns) {
  MetricsLog log(path_);
  log.append({{"step", 1}, {"loss", 0.1}});
  EXPECT_EQ(read_file(path_), "{\"loss\":0.1,\"step\":1}\n");
}

TEST_F(MetricsLogTest, AppendsToWhatIsThere) {
  log_steps(1, 2);
  log_steps(3, 3);
  EXPECT_EQ(read_metrics(path_).size(), 3u);
}

TEST_F(MetricsLogTest, ATornLastLineIsIgnored) {
  write_file_atomically(path_, "{\"step\":1}\n{\"step\":2,\"lo");
  EXPECT_EQ(read_metrics(path_).size(), 1u);
  keep_metrics(path_, [](const Json&) { return true; });
  EXPECT_EQ(read_file(path_), "{\"step\":1}\n");
}

TEST_F(MetricsLogTest, ABadLineElsewhereIsAnErrorWithItsNumber) {
  write_file_atomically(path_, "{\"step\":1}\n{\"lo\n{\"step\":3}\n");
  try {
    read_metrics(path_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("jsonl line 2"), std::string::npos) << error.what();
  }
}

TEST_F(MetricsLogTest, AResumedRunKeepsTheStepsBeforeIt) {
  log_steps(1, 5);
  keep_metrics(path_, [](const Json& record) { return record["step"] <= 3; });
  log_steps(4, 4);
  const auto records = read_metrics(path_);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records.back()["step"], 4);
}

TEST_F(MetricsLogTest, NumbersThatAreNotFiniteBecomeNull) {
  MetricsLog log(path_);
  log.append({{"step", 1}, {"loss", std::nan("")}, {"text", "\xff"}});
  EXPECT_TRUE(read_metrics(path_)[0]["loss"].is_null());
}

TEST_F(MetricsLogTest, AMissingFileHasNoRecords) { EXPECT_TRUE(read_metrics(path_).empty()); }

}  // namespace
}  // namespace inlay
