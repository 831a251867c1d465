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

}  // namespace
}  // namespace inlay
