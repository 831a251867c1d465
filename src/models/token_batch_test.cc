#include "models/token_batch.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(TokenBatch, AskedTokensAreRowsWithTheirOwnExamplesAndChunks) {
  TokenSequence first{{7, 8, 9}, {}, {1}}, second{{4, 5}, {}, {}}, third{{1, 2, 3, 6}, {}, {0, 3}};
  std::vector<const TokenSequence*> sequences{&first, &second, &third};
  TokenBatch batch = make_token_batch(sequences, {.first = 8, .chunk = 2});
  EXPECT_EQ(batch.asked, (std::vector<int64_t>{1, 5, 8}));
  const RowSpace& rows = batch.asked_tokens;
  EXPECT_EQ(rows.rows(), 3);
  EXPECT_EQ(rows.example_offsets, (std::vector<int64_t>{0, 1, 1, 3}));
  EXPECT_EQ(rows.chunk_offsets, (std::vector<int64_t>{0, 1, 3}));
  EXPECT_EQ(rows.example_place, (std::vector<int32_t>{8, 10, 10}));
  EXPECT_EQ(rows.token_position, (std::vector<int32_t>{1, 0, 3}));
}

// Three sequences of the first example, one of the second, two of the third: two examples a chunk.
TEST(TokenBatch, ChunksHoldWholeExamplesHoweverManySequencesTheyHave) {
  TokenSequence two{{7, 8}, {}, {}}, one{{4}, {}, {}};
  std::vector<const TokenSequence*> sequences{&two, &one, &two, &one, &one, &two};
  std::vector<int64_t> counts{3, 1, 2};
  TokenBatch batch = make_token_batch(
      sequences, {.first = 4, .chunk = 2, .sequences = counts, .first_sequence = 9});
  EXPECT_EQ(batch.tokens.example_offsets, (std::vector<int64_t>{0, 2, 3, 5, 6, 7, 9}));
  EXPECT_EQ(batch.tokens.chunk_offsets, (std::vector<int64_t>{0, 6, 9}));
  EXPECT_EQ(batch.examples.chunk_offsets, (std::vector<int64_t>{0, 4, 6}));
  EXPECT_EQ(batch.examples.example_place, (std::vector<int32_t>{9, 10, 11, 12, 13, 14}));
}

}  // namespace
}  // namespace inlay
