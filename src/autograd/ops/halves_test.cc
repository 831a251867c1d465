#include "autograd/ops/halves.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Halves, PassGradientsOn) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    for (double sign : {1.0, -1.0}) {
      expect_op_contract([&](int64_t channels) {
        return OpCase{.inputs = {{2 * channels, RowsOf::kTokens, precision}},
                      .function = [=](OpRun& run) {
                        return combine_halves(run.context, run.x[0], 2 * channels, sign);
                      }};
      });
    }
  }
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}, {channels}}, .function = [=](OpRun& run) {
                    return join_halves(run.context, run.x[0], run.x[1], 2);
                  }};
  });
}

TEST(Halves, AreJoinedAsTheyWere) {
  OpContext context(DType::kF32);
  context.forward = 1;
  RowSpace rows = make_row_space({1});
  const double values[] = {1, 2, 3, 4, 5, 6, 7, 8};
  Variable x = context.tape.constant(tensor_of({1, 8}, DType::kF32, values), &rows);
  Variable sums = combine_halves(context, x, 4, 1), differences = combine_halves(context, x, 4, -1);
  const float expected[] = {4, 6, 12, 14};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sums.value().data<float>()[i], expected[i]);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(differences.value().data<float>()[i], -2);
  Tensor joined = join_halves(context, sums, differences, 4).value();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(joined.data<float>()[i], values[i]);
}

}  // namespace
}  // namespace inlay
