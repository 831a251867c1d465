#include "nn/context.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/scale.h"

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

TEST(Context, KeepsPartsForABackwardPassOverTwoForwardPasses) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({2, 1});
  Parameter factor("factor", Tensor::of<float>({1}, std::vector<float>{1}));
  context.begin_forward();
  const RowSpace* part = context.part_of(space, 0, 1);
  Variable once = scale(context, context.tape.constant(drawn_tensor("x", {2, 3}), part), factor);
  context.begin_forward();
  EXPECT_EQ(once.row_space()->rows(), 2);
  context.tape.backward(once, drawn_tensor("seed", {2, 3}));
  EXPECT_TRUE(factor.take_gradient().defined());
}

TEST(Context, FindsTheGateOfASite) {
  ActiveAdapter active{.gate = 0.25f, .site_gates = {{3, 0.75f}}};
  EXPECT_EQ(active.gate_at(3), 0.75f);
  EXPECT_EQ(active.gate_at(4), 0.25f);
}

}  // namespace
}  // namespace inlay
