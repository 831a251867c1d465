#include "autograd/ops/box_loss.h"

#include <limits>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// Boxes of e^x against others that are no powers of e; of every third row nothing counts.
OpCase giou_case() {
  return {.inputs = {{4}}, .function = [](OpRun& run) {
            int64_t rows = run.tokens.rows();
            Tensor wanted = Tensor::empty({rows, 4}, DType::kF32);
            std::vector<float> weights;
            weights.reserve(static_cast<std::size_t>(rows));
            for (int64_t row = 0; row < rows; ++row) {
              auto at = static_cast<std::size_t>(row);
              int32_t mix = run.tokens.example_place[at] * 5 + run.tokens.token_position[at] * 3;
              weights.push_back(static_cast<float>(mix % 3) * 0.5f);
              for (int64_t s = 0; s < 4; ++s) {
                float side = 0.375f + 0.3125f * static_cast<float>((mix + 7 * s) % 11);
                wanted.mutable_data<float>()[4 * row + s] = side;
              }
            }
            Variable distances = exponential(run.context, run.x[0]);
            return giou_loss(run.context, distances, wanted, weights, 3);
          }};
}

TEST(GiouLoss, KeepsTheContract) {
  expect_op_contract([](int64_t) { return giou_case(); });
}

TEST(Exponential, KeepsTheContract) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}},
                  .function = [](OpRun& run) { return exponential(run.context, run.x[0]); }};
  });
}

struct Result {
  std::vector<double> losses, slopes;
};

Result run(const std::vector<double>& found, const std::vector<double>& wanted,
           const std::vector<float>& weights, double normalizer) {
  OpContext context(DType::kF64);
  auto count = static_cast<int64_t>(weights.size());
  RowSpace rows = rows_alone(count);
  Variable x = context.tape.input(tensor_of({count, 4}, DType::kF64, found.data()), &rows);
  Variable y =
      giou_loss(context, x, tensor_of({count, 4}, DType::kF64, wanted.data()), weights, normalizer);
  std::vector<double> ones(weights.size(), 1.0);
  context.tape.backward(y, tensor_of({count, 1}, DType::kF64, ones.data()));
  Result result;
  for (int64_t i = 0; i < count; ++i) result.losses.push_back(in(y.value()).load<double>(i));
  for (int64_t i = 0; i < 4 * count; ++i) result.slopes.push_back(in(x.grad()).load<double>(i));
  return result;
}

TEST(GiouLoss, IsOneWithoutTheOverlapAndTheFilling) {
  // 2 x 2 within 4 x 4; 3 x 2 beside 3 x 2, in a box of 4 x 2; 2 x 4 across 4 x 2, in 4 x 4.
  Result result = run({1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 2}, {2, 2, 2, 2, 1, 1, 2, 1, 2, 1, 2, 1},
                      {1, 1, 0.5f}, 2);
  EXPECT_NEAR(result.losses[0], (1 - 4.0 / 16) / 2, 1e-15);
  EXPECT_NEAR(result.losses[1], (1 - 4.0 / 8) / 2, 1e-15);
  EXPECT_NEAR(result.losses[2], (1 - (4.0 / 12 - 4.0 / 16)) / 4, 1e-15);
}

TEST(GiouLoss, IsNothingForTheBoxItself) {
  Result result = run({1, 2, 3, 4}, {1, 2, 3, 4}, {1}, 1);
  EXPECT_EQ(result.losses[0], 0);
  EXPECT_EQ(result.slopes, (std::vector<double>{0, 0, 0, 0}));
}

TEST(GiouLoss, GrowsABoxThatLiesWithin) {
  // I / U of 2 x 2 in 4 x 4 grows by 2 / 16 with each side; the hull stays filled.
  Result result = run({1, 1, 1, 1}, {2, 2, 2, 2}, {1}, 1);
  for (double slope : result.slopes) EXPECT_NEAR(slope, -2.0 / 16, 1e-15);
}

TEST(GiouLoss, RowsWithoutWeightDoNotCountWhateverTheyHold) {
  double nothing = std::numeric_limits<double>::quiet_NaN();
  Result result = run({nothing, 1, 1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 2, 2, 2, 2}, {0, 1}, 1);
  EXPECT_EQ(result.losses[0], 0);
  for (std::size_t s = 0; s < 4; ++s) EXPECT_EQ(result.slopes[s], 0);
  EXPECT_NEAR(result.losses[1], 0.75, 1e-15);
}

TEST(GiouLoss, ABoxOfNoSizeGivesFiniteNumbers) {
  Result result = run({0, 0, 0, 0}, {1, 1, 1, 1}, {1}, 1);
  EXPECT_EQ(result.losses[0], 1);
  for (double slope : result.slopes) EXPECT_TRUE(std::isfinite(slope));
}

}  // namespace
}  // namespace inlay
