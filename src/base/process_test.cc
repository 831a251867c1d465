#include "base/process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

namespace inlay {
namespace {

TEST(Process, PeakMemoryGrowsWithWhatIsTouched) {
  const uint64_t before = current_rss_bytes();
  { std::vector<char> block(64u << 20, 1); }
  EXPECT_GE(peak_rss_bytes(), before + (50u << 20));
  EXPECT_GT(current_rss_bytes(), 1u << 20);
  // The kernel counts pages in batches, so the two may be off by some.
  EXPECT_LE(current_rss_bytes(), peak_rss_bytes() + (4u << 20));
}

TEST(Process, KnowsItsMachine) {
  EXPECT_FALSE(cpu_model().empty());
  EXPECT_FALSE(cpu_isa().empty());
  EXPECT_GE(available_cpus(), 1);
}

TEST(Process, TimestampsAreIsoInUtc) {
  std::string shape = utc_timestamp();
  for (char& c : shape) c = c >= '0' && c <= '9' ? 'd' : c;
  EXPECT_EQ(shape, "dddd-dd-ddTdd:dd:ddZ");
}

TEST(ProcessDeathTest, TheFirstSignalSetsAFlagAndTheSecondEndsTheProcess) {
  EXPECT_FALSE(interrupted());
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        raise(SIGINT);
        if (!interrupted()) _exit(1);
        raise(SIGTERM);
        _exit(2);
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
  EXPECT_FALSE(interrupted());
}

}  // namespace
}  // namespace inlay
