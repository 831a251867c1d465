#include "nn/context.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Context, GivesAPartOfTheExamplesASpaceOfTheirOwn) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({3, 1, 4, 2}, 1, 8);
  const RowSpace* part = context.part_of(space, 1, 3);
  EXPECT_EQ(part->example_offsets, (std::vector<int64_t>{0, 1, 5}));
  EXPECT_EQ(part->chunk_offsets, (std::vector<int64_t>{0, 1, 5}));
  EXPECT_EQ(part->example_place, (std::vector<int32_t>{9, 10, 10, 10, 10}));
  EXPECT_EQ(part->token_position, (std::vector<int32_t>{0, 0, 1, 2, 3}));
}

TEST(Context, DoesNotCutAGradientChunk) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({3, 1, 4, 2}, 2);
  EXPECT_EQ(context.part_of(space, 2, 4)->chunks(), 1);
  EXPECT_THROW(context.part_of(space, 1, 4), Error);
  EXPECT_THROW(context.part_of(space, 0, 3), Error);
}

TEST(Context, FindsTheGateOfASite) {
  ActiveAdapter active{.gate = 0.25f, .site_gates = {{3, 0.75f}}};
  EXPECT_EQ(active.gate_at(3), 0.75f);
  EXPECT_EQ(active.gate_at(4), 0.25f);
}

}  // namespace
}  // namespace inlay
