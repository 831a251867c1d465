#include "data/batches.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"

namespace inlay {
namespace {

using Indices = std::vector<std::size_t>;
const Indices kExamples = {3, 5, 7, 9, 11, 13, 15};

TEST(EpochOrder, IsAPermutationThatDependsOnSeedAndEpoch) {
  Indices order = epoch_order(kExamples, 1, 0);
  EXPECT_EQ(order, epoch_order(kExamples, 1, 0));
  EXPECT_NE(order, epoch_order(kExamples, 1, 1));
  EXPECT_NE(order, epoch_order(kExamples, 2, 0));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, kExamples);
}

TEST(MakeBatches, KeepsTheOrderAndTheShortLastBatch) {
  std::vector<std::int32_t> tokens(16);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::int32_t>(i);
  std::vector<Batch> batches = make_batches(kExamples, tokens, 3);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].examples, (Indices{3, 5, 7}));
  EXPECT_EQ(batches[0].tokens, 15);
  EXPECT_EQ(batches[2].examples, (Indices{15}));
  EXPECT_EQ(make_batches(kExamples, tokens, 100).size(), 1u);
  EXPECT_TRUE(make_batches(Indices{}, tokens, 3).empty());
  EXPECT_THROW(make_batches(kExamples, tokens, 0), Error);
}

TEST(MicroBatches, CoverTheBatchOnce) {
  Batch batch{.examples = kExamples};
  std::vector<Range> ranges = micro_batches(batch, 3);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[1].first, 3u);
  EXPECT_EQ(ranges[2].first, 6u);
  EXPECT_EQ(ranges[2].count, 1u);
}

TEST(LayOut, PutsRowsEndToEnd) {
  std::vector<std::int32_t> a = {1, 2, 3}, none, b = {4};
  std::vector<std::span<const std::int32_t>> rows = {a, none, b};
  RaggedIds ragged = lay_out(rows);
  EXPECT_EQ(ragged.ids, (std::vector<std::int32_t>{1, 2, 3, 4}));
  EXPECT_EQ(ragged.offsets, (std::vector<std::int32_t>{0, 3, 3, 4}));
}

}  // namespace
}  // namespace inlay
