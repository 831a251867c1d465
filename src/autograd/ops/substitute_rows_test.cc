#include "autograd/ops/substitute_rows.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(SubstituteRows, GivesTrainedRowsInTheirPlaces) {
  RowNumbers numbers({5, 0, 3});
  expect_op_contract([&](int64_t channels) {
    return OpCase{
        .inputs = {{channels}}, .parameters = {{3, channels}}, .function = [&](OpRun& run) {
          return substitute_rows(run.context, run.x[0], run.numbers(run.tokens, 7),
                                 {&run.p[0], &numbers});
        }};
  });
}

TEST(SubstituteRows, LeavesTheOtherRowsAsTheyWere) {
  OpContext context(DType::kF32);
  context.tape.set_recording(false);
  RowSpace rows = make_row_space({2, 1});
  RowNumbers numbers({9, 4});
  Parameter values("values", Tensor::of<float>({2, 1}, std::vector<float>{-1, -2}));
  Variable x =
      context.tape.constant(Tensor::of<float>({3, 1}, std::vector<float>{10, 20, 30}), &rows);
  Tensor y =
      substitute_rows(context, x, std::vector<int32_t>{4, 7, 9}, {&values, &numbers}).value();
  EXPECT_EQ(y.data<float>()[0], -2.0f);
  EXPECT_EQ(y.data<float>()[1], 20.0f);
  EXPECT_EQ(y.data<float>()[2], -1.0f);
}

}  // namespace
}  // namespace inlay
