#include "autograd/ops/kronecker.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Kronecker, GradientsReachInputAndBothFactors) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .parameters = {{3, 2}, {5, channels / 2}},
                    .function = [](OpRun& run) {
                      return kronecker(run.context, run.x[0], run.p[0], run.p[1]);
                    }};
    });
  }
}

// [1 2; 3 4] (x) [1 0 2] = [1 0 2 2 0 4; 3 0 6 4 0 8].
TEST(Kronecker, IsTheProductWithTheWholeMatrix) {
  OpContext context(DType::kF32);
  context.forward = 1;
  RowSpace rows = make_row_space({1});
  const double x[] = {1, 2, 3, 4, 5, 6};
  Parameter w1("w1", tensor_of({2, 2}, DType::kF32, std::vector<double>{1, 2, 3, 4}.data()));
  Parameter w2("w2", tensor_of({1, 3}, DType::kF32, std::vector<double>{1, 0, 2}.data()));
  Variable input = context.tape.constant(tensor_of({1, 6}, DType::kF32, x), &rows);
  Tensor y = kronecker(context, input, w1, w2).value();
  EXPECT_EQ(y.data<float>()[0], 1 + 2 * 3 + 2 * 4 + 4 * 6);
  EXPECT_EQ(y.data<float>()[1], 3 + 6 * 3 + 4 * 4 + 8 * 6);
}

}  // namespace
}  // namespace inlay
