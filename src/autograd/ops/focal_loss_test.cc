#include "autograd/ops/focal_loss.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// Every kind of row: of a class, of the background, and one that does not count.
OpCase focal_case(int64_t classes) {
  return {.inputs = {{classes}}, .function = [=](OpRun& run) {
            auto& own = run.numbers(run.tokens, static_cast<int32_t>(classes) + 2);
            for (int32_t& id : own) {
              if (id == classes) id = -1;
              if (id == classes + 1) id = kIgnoredLabel;
            }
            return focal_loss(run.context, run.x[0], own, 0.25, 2, 3);
          }};
}

TEST(FocalLoss, KeepsTheContract) { expect_op_contract(focal_case); }

struct Result {
  std::vector<double> losses, slopes;
};

Result run(const std::vector<double>& logits, const std::vector<int32_t>& classes, double alpha,
           double gamma, double normalizer) {
  OpContext context(DType::kF64);
  auto count = static_cast<int64_t>(classes.size());
  int64_t width = static_cast<int64_t>(logits.size()) / count;
  RowSpace rows = rows_alone(count);
  Variable x = context.tape.input(tensor_of({count, width}, DType::kF64, logits.data()), &rows);
  Variable y = focal_loss(context, x, classes, alpha, gamma, normalizer);
  std::vector<double> ones(classes.size(), 1.0);
  context.tape.backward(y, tensor_of({count, 1}, DType::kF64, ones.data()));
  Result result;
  for (int64_t i = 0; i < count; ++i) result.losses.push_back(in(y.value()).load<double>(i));
  for (int64_t i = 0; i < count * width; ++i) result.slopes.push_back(in(x.grad()).load<double>(i));
  return result;
}

// Of probabilities 1/2 and 3/4 for classes 0 and 1.
const std::vector<double> kTwo{0, std::log(3.0)};

TEST(FocalLoss, IsItsDefinitionInClosedForm) {
  double second = 0.25 * std::pow(0.25, 2) * std::log(4.0 / 3);          // own: alpha (1 - p)^2
  double first = 0.75 * std::pow(0.5, 2) * std::log(2.0);                // other: (1 - alpha) p^2
  double background = 0.75 * std::pow(0.75, 2) * std::log(4.0) + first;  // both are other ones
  EXPECT_NEAR(run(kTwo, {1}, 0.25, 2, 1).losses[0], second + first, 1e-15);
  EXPECT_NEAR(run(kTwo, {-1}, 0.25, 2, 4).losses[0], background / 4, 1e-15);
}

TEST(FocalLoss, IsHalfTheCrossEntropyWithoutFocusAndWithEqualWeights) {
  Result result = run(kTwo, {1}, 0.5, 0, 1);
  EXPECT_NEAR(result.losses[0], (std::log(4.0 / 3) + std::log(2.0)) / 2, 1e-15);
  EXPECT_NEAR(result.slopes[0], 0.5 / 2, 1e-15);
  EXPECT_NEAR(result.slopes[1], (0.75 - 1) / 2, 1e-15);
}

TEST(FocalLoss, RowsThatAreIgnoredHaveNeitherLossNorSlope) {
  Result result = run({2, -3, 1, 0.5}, {kIgnoredLabel, 0}, 0.25, 2, 1);
  EXPECT_EQ(result.losses[0], 0);
  EXPECT_EQ(result.slopes[0], 0);
  EXPECT_EQ(result.slopes[1], 0);
  EXPECT_GT(result.losses[1], 0);
}

TEST(FocalLoss, LargeLogitsGiveFiniteNumbers) {
  Result result = run({800, -800}, {-1, 0}, 0.25, 2, 1);
  EXPECT_NEAR(result.losses[0], 0.75 * 800, 1e-9);
  EXPECT_NEAR(result.losses[1], 0.25 * 800, 1e-9);
  EXPECT_NEAR(result.slopes[0], 0.75, 1e-12);
  EXPECT_NEAR(result.slopes[1], -0.25, 1e-12);
  result = run({800, -800}, {0, -1}, 0.25, 2, 1);
  EXPECT_EQ(result.losses, (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace inlay
