#include "autograd/ops/upsample_map.h"

#include "autograd/gradient_check.h"
#include "autograd/map_space.h"

namespace inlay {
namespace {

TEST(UpsampleMap, PassesGradientsOn) {
  constexpr MapSize kFrom = {2, 3};
  for (MapSize to : {MapSize{4, 6}, MapSize{3, 5}}) {
    expect_op_contract([=](int64_t channels) {
      OpCase op{.inputs = {{channels}}, .function = [=](OpRun& run) {
                  run.tokens.map = kFrom;
                  RowSpace& places = run.kept_spaces.emplace_back(map_space(run.tokens, to));
                  return upsample_map(run.context, run.x[0], &places);
                }};
      op.lengths.assign(8, kFrom.places());
      op.difference_lengths.assign(3, kFrom.places());
      return op;
    });
  }
}

TEST(UpsampleMap, RepeatsPlacesInBothDirections) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({2, 2});
  rows.map = {1, 2};
  RowSpace places = map_space(rows, {2, 3});
  const std::vector<double> numbers = {1, 5, 2, -3};
  Variable x = context.tape.constant(tensor_of({4, 1}, DType::kF32, numbers.data()), &rows);
  Variable y = upsample_map(context, x, &places);
  EXPECT_EQ(y.row_space(), &places);
  const auto* found = y.value().data<float>();
  EXPECT_EQ(std::vector<float>(found, found + 12),
            (std::vector<float>{1, 1, 5, 1, 1, 5, 2, 2, -3, 2, 2, -3}));
}

TEST(UpsampleMap, DoublesAtMost) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({2});
  rows.map = {1, 2};
  RowSpace high = map_space(rows, {3, 2}), wide = map_space(rows, {2, 5});
  Variable x = context.tape.constant(drawn_tensor("x", {2, 1}), &rows);
  EXPECT_THROW((void)upsample_map(context, x, &high), Error);
  EXPECT_THROW((void)upsample_map(context, x, &wide), Error);
}

}  // namespace
}  // namespace inlay
