#include "autograd/map_space.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(MapSpace, KeepsExamplesAndChunks) {
  // Places 10 to 14 of the effective batch, in chunks of two examples.
  RowSpace tokens = make_row_space({3, 1, 4, 2, 5}, 2, 10);
  tokens.before_map = 1;
  RowSpace space = map_space(tokens, {2, 3});
  EXPECT_EQ(space.example_offsets, (std::vector<int64_t>{0, 6, 12, 18, 24, 30}));
  EXPECT_EQ(space.chunk_offsets, (std::vector<int64_t>{0, 12, 24, 30}));
  EXPECT_EQ(space.map, (MapSize{2, 3}));
  EXPECT_EQ(space.before_map, 0);
  ASSERT_EQ(space.example_place.size(), 30u);
  EXPECT_EQ(space.example_place[17], 12);
  EXPECT_EQ(space.example_place[18], 13);
  EXPECT_EQ(space.token_position[17], 5);
  EXPECT_EQ(space.token_position[18], 0);
}

TEST(MapSpace, OfNoExamplesIsEmpty) {
  RowSpace space = map_space(make_row_space({}), {2, 3});
  EXPECT_EQ(space.rows(), 0);
  EXPECT_EQ(space.chunks(), 0);
}

}  // namespace
}  // namespace inlay
