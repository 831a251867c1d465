#include "autograd/ops/dropout.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Dropout, PassesGradientsThroughTheMaskThatItDrew) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}}, .function = [](OpRun& run) {
                      run.context.training = true;
                      run.context.step = 3;
                      return dropout(run.context, run.x[0], 0.4, "dropout/test");
                    }};
    });
  }
}

// Twenty rows of a hundred ones after dropout.
std::vector<float> dropped_ones(double probability, std::string_view stream, uint32_t step = 1) {
  OpContext context(DType::kF32);
  context.training = true;
  context.step = step;
  RowSpace rows = make_row_space({20});
  std::vector<float> ones(2000, 1.0f);
  Variable x = context.tape.constant(Tensor::of<float>({20, 100}, ones), &rows);
  Variable y = dropout(context, x, probability, stream);
  return {y.value().data<float>(), y.value().data<float>() + 2000};
}

TEST(Dropout, DropsTheAskedShareAndScalesUpTheRest) {
  std::vector<float> y = dropped_ones(0.25, "dropout/a");
  auto dropped = std::count(y.begin(), y.end(), 0.0f);
  EXPECT_NEAR(static_cast<double>(dropped), 500, 5 * std::sqrt(2000 * 0.25 * 0.75));
  EXPECT_EQ(dropped + std::count(y.begin(), y.end(), 1.0f / 0.75f), 2000);
}

TEST(Dropout, DrawsAnotherMaskForAnotherStreamOrStep) {
  EXPECT_EQ(dropped_ones(0.5, "dropout/a"), dropped_ones(0.5, "dropout/a"));
  EXPECT_NE(dropped_ones(0.5, "dropout/a"), dropped_ones(0.5, "dropout/b"));
  EXPECT_NE(dropped_ones(0.5, "dropout/a"), dropped_ones(0.5, "dropout/a", 2));
}

TEST(Dropout, GivesItsInputBackOutsideTrainingAndForProbabilityZero) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({2});
  Variable x = context.tape.constant(drawn_tensor("x", {2, 4}), &rows);
  EXPECT_TRUE(dropout(context, x, 0.5, "dropout/a").same_as(x));
  context.training = true;
  EXPECT_TRUE(dropout(context, x, 0.0, "dropout/a").same_as(x));
}

}  // namespace
}  // namespace inlay
