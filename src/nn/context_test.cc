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

TEST(Context, GrowsASpaceByVirtualRowsAndLeavesTheOwnOnesTheirPlaces) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({3, 1}, 1, 8);
  const RowSpace* grown = context.grown(space, 2, 1, -0.5f);
  EXPECT_EQ(grown->example_offsets, (std::vector<int64_t>{0, 5, 8}));
  EXPECT_EQ(grown->chunk_offsets, (std::vector<int64_t>{0, 5, 8}));
  EXPECT_EQ(grown->example_place, (std::vector<int32_t>{8, 8, 8, 8, 8, 9, 9, 9}));
  EXPECT_EQ(grown->token_position, (std::vector<int32_t>{0, -2, -1, 1, 2, 0, -2, -1}));
  EXPECT_EQ(grown->key_bias, (std::vector<float>{0, -0.5f, -0.5f, 0, 0, 0, -0.5f, -0.5f}));
  const RowSpace* rows = context.virtual_rows(space, 2);
  EXPECT_EQ(rows->example_offsets, (std::vector<int64_t>{0, 2, 4}));
  EXPECT_EQ(rows->token_position, (std::vector<int32_t>{-2, -1, -2, -1}));
}

TEST(Context, KeepsWholeChunksInAGrownSpace) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({3, 1, 2}, 2);
  EXPECT_EQ(context.grown(space, 1, 0, 0)->chunk_offsets, (std::vector<int64_t>{0, 6, 9}));
  EXPECT_TRUE(context.grown(space, 1, 0, 0)->key_bias.empty());
}

TEST(Context, JoinsSpacesAndWhatTheirKeysAreBiasedBy) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({1, 2});
  auto value = [&](const RowSpace* rows) {
    return context.tape.constant(Tensor::zeros({rows->rows(), 1}, DType::kF32), rows);
  };
  std::vector<Variable> parts{value(context.part_of(space, 0, 1)),
                              value(context.grown(*context.part_of(space, 1, 2), 1, 0, -1))};
  const RowSpace* joined = context.joined(parts);
  EXPECT_EQ(joined->example_offsets, (std::vector<int64_t>{0, 1, 4}));
  EXPECT_EQ(joined->chunk_offsets, (std::vector<int64_t>{0, 1, 4}));
  EXPECT_EQ(joined->token_position, (std::vector<int32_t>{0, -1, 0, 1}));
  EXPECT_EQ(joined->key_bias, (std::vector<float>{0, -1, 0, 0}));
}

TEST(Context, JoinedPartsOfImagesKeepTheSizeOfTheirMaps) {
  Context context(DType::kF32);
  RowSpace space = make_row_space({5, 5});
  space.map = {2, 2};
  space.before_map = 1;
  auto value = [&](const RowSpace* rows) {
    return context.tape.constant(drawn_tensor("x", {rows->rows(), 2}), rows);
  };
  std::vector<Variable> parts{value(context.part_of(space, 0, 1)),
                              value(context.grown(*context.part_of(space, 1, 2), 3, 1, 0))};
  const RowSpace* joined = context.joined(parts);
  EXPECT_EQ(joined->map, (MapSize{2, 2}));
  EXPECT_EQ(joined->before_map, 1);
  EXPECT_EQ(joined->rows(), 13);
}

TEST(Context, FindsTheGateOfASite) {
  ActiveAdapter active{.gate = 0.25f, .site_gates = {{3, 0.75f}}};
  EXPECT_EQ(active.gate_at(3), 0.75f);
  EXPECT_EQ(active.gate_at(4), 0.25f);
}

}  // namespace
}  // namespace inlay
