#include "data/chat/pack_sequences.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "data/test_files.h"

namespace inlay {
namespace {

using Lengths = std::vector<std::int64_t>;
using Groups = std::vector<std::vector<std::size_t>>;

TEST(PackSequences, PutsEachWhereItLeavesTheLeastRoom) {
  // By hand, limit 10: 7 opens, 6 opens, 4 fills the second up, 3 the first, 2 opens.
  Packing packing = pack_sequences(Lengths{4, 7, 2, 6, 3}, 10);
  EXPECT_EQ(packing.groups, (Groups{{1, 4}, {0, 3}, {2}}));
  EXPECT_EQ(packing.tokens, 22);
  EXPECT_DOUBLE_EQ(packing.fill(), 22.0 / 30.0);
}

TEST(PackSequences, KeepsTheOrderOfEquallyLongOnes) {
  EXPECT_EQ(pack_sequences(Lengths{5, 5, 5, 5}, 10).groups, (Groups{{0, 1}, {2, 3}}));
}

TEST(PackSequences, OfNothingAreNoGroups) {
  Packing packing = pack_sequences({}, 10);
  EXPECT_TRUE(packing.groups.empty());
  EXPECT_EQ(packing.fill(), 0.0);
}

TEST(PackSequences, RefusesWhatFitsNowhere) {
  for (std::int64_t length : {0, -1, 11}) {
    try {
      pack_sequences(Lengths{3, length}, 10);
      ADD_FAILURE() << "no error for " << length;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find("sequence 1 has"), std::string::npos);
    }
  }
}

TEST(PackSequences, HoldsEverySequenceOnceAndFillsAlmostAll) {
  Lengths lengths;
  for (std::size_t i : shuffled(20'000, Stream(7, "lengths")))
    lengths.push_back(1 + static_cast<std::int64_t>(i % 600));
  Packing packing = pack_sequences(lengths, 2048);
  std::vector<int> seen(lengths.size(), 0);
  for (const auto& group : packing.groups) {
    std::int64_t total = 0;
    for (std::size_t index : group) {
      total += lengths[index];
      ++seen[index];
    }
    ASSERT_LE(total, 2048);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
  EXPECT_GT(packing.fill(), 0.99);
  EXPECT_EQ(pack_sequences(lengths, 2048).groups, packing.groups);
}

}  // namespace
}  // namespace inlay
