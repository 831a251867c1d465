#include "autograd/ops/sparse_linear.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// Elements 0 to 4 at (3, 0), (0, 1), (0, 0), (2, 1), (3, 1) of a weight (4, 2); output 1 has none.
constexpr int32_t kOutputs[] = {3, 0, 0, 2, 3};
constexpr int32_t kInputs[] = {0, 1, 0, 1, 1};

TEST(SparseLinear, GradientsReachInputAndValues) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      auto by_output = std::make_shared<Parameter>("o", sparse_order(kOutputs, kInputs, 4));
      auto by_input = std::make_shared<Parameter>("i", sparse_order(kInputs, kOutputs, channels));
      return OpCase{
          .inputs = {{channels, RowsOf::kTokens, precision}},
          .parameters = {{5}},
          .function = [by_output, by_input](OpRun& run) {
            return sparse_linear(run.context, run.x[0], run.p[0], {*by_output, *by_input});
          }};
    });
  }
}

TEST(SparseLinear, IsTheProductWithTheWholeMatrix) {
  OpContext context(DType::kF32);
  context.forward = 1;
  RowSpace rows = make_row_space({1});
  const double x[] = {2, 3}, w[] = {1, 10, 100, 1000, 10000};
  Parameter values("w", tensor_of({5}, DType::kF32, w));
  Parameter by_output("o", sparse_order(kOutputs, kInputs, 4));
  Parameter by_input("i", sparse_order(kInputs, kOutputs, 2));
  Variable input = context.tape.constant(tensor_of({1, 2}, DType::kF32, x), &rows);
  Tensor y = sparse_linear(context, input, values, {by_output, by_input}).value();
  const float expected[] = {10 * 3 + 100 * 2, 0, 1000 * 3, 1 * 2 + 10000 * 3};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y.data<float>()[i], expected[i]);
}

}  // namespace
}  // namespace inlay
