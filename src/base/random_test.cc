#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace inlay {
namespace {

TEST(Philox, MatchesThePublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Stream, DiffersByNameAndSeedAndRepeatsItself) {
  EXPECT_EQ(Stream(1, "a").uniform(7), Stream(1, "a").uniform(7));
  EXPECT_NE(Stream(1, "a").uniform(7), Stream(1, "b").uniform(7));
  EXPECT_NE(Stream(1, "a").uniform(7), Stream(2, "a").uniform(7));
}

TEST(Stream, NormalHasMeanZeroAndVarianceOne) {
  Stream stream(3, "normal");
  double sum = 0, squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    double value = stream.normal(i);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.02);
}

TEST(Shuffled, IsAPermutation) {
  auto order = shuffled(1000, Stream(5, "shuffle"));
  EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_NE(order[0] * 1000 + order[1], 1u);
}

}  // namespace
}  // namespace inlay
