#include "runs/step_digest.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace inlay {
namespace {

// Ten steps, one of which has another loss.
Json digest_with(int64_t odd_step, int64_t every = 3) {
  StepDigest digest(every);
  for (int64_t step = 1; step <= 10; ++step) digest.add(step, step == odd_step ? 0.5 : 0.25, 1.5);
  return digest.to_json();
}

TEST(StepDigest, IsAChainOfHashesOverExactNumbers) {
  StepDigest digest(1);
  digest.add(1, 0.5, 2);
  const std::string first = hex(sha256("\n1\n0x1p-1\n0x1p+1\n"));
  digest.add(2, -0.0, 3);
  EXPECT_EQ(digest.to_json()["marks"][0]["digest"], first);
  EXPECT_EQ(digest.to_json()["last"], hex(sha256(first + "\n2\n-0x0p+0\n0x1.8p+1\n")));
}

TEST(StepDigest, KeepsTheFirstAndEveryNthLink) {
  const Json json = digest_with(0);
  ASSERT_EQ(json["marks"].size(), 4u);
  EXPECT_EQ(json["marks"][0]["step"], 1);
  EXPECT_EQ(json["marks"][3]["step"], 9);
}

TEST(StepDigest, GoesOnAfterAResume) {
  StepDigest before(3);
  for (int64_t step = 1; step <= 4; ++step) before.add(step, 0.25, 1.5);
  StepDigest after = StepDigest::from_json(before.to_json(), "checkpoint");
  for (int64_t step = 5; step <= 10; ++step) after.add(step, 0.25, 1.5);
  EXPECT_EQ(after.to_json(), digest_with(0));
}

TEST(StepDigest, FindsTheFirstDifference) {
  EXPECT_EQ(first_difference(digest_with(0), digest_with(0)), 0);
  EXPECT_EQ(first_difference(digest_with(0), digest_with(1)), 1);
  EXPECT_EQ(first_difference(digest_with(0), digest_with(5)), 6);
  EXPECT_EQ(first_difference(digest_with(0), digest_with(10)), 10);
}

TEST(StepDigest, RefusesASkippedStep) {
  StepDigest digest(1);
  EXPECT_THROW(digest.add(2, 0, 0), Error);
}

}  // namespace
}  // namespace inlay
