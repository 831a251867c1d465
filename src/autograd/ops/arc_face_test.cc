#include "autograd/ops/arc_face.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/scale.h"

namespace inlay {
namespace {

// Every third token has no class; the drawn numbers become cosines.
OpCase case_of(int64_t classes, double margin) {
  return {.inputs = {{classes}}, .function = [=](OpRun& run) {
            std::vector<int32_t>& own = run.numbers(run.tokens, static_cast<int32_t>(classes));
            for (std::size_t i = 0; i < own.size(); ++i) {
              if (run.tokens.token_position[i] % 3 == 1) own[i] = kIgnoredLabel;
            }
            Variable cosines = scale(run.context, run.x[0], 0.2);
            return arc_face_loss(run.context, cosines, own, 4, margin, 3);
          }};
}

TEST(ArcFace, KeepsTheOpContract) {
  expect_op_contract([](int64_t classes) { return case_of(classes, 0.5); });
}

// With a margin of 1.4 every angle whose cosine is below -cos(1.4) = -0.17 is beyond pi.
TEST(ArcFace, KeepsTheOpContractWhereAnglesAreBeyondPi) {
  expect_op_contract([](int64_t classes) { return case_of(classes, 1.4); });
}

struct Result {
  double loss;
  std::vector<double> slopes;
};

// Of two classes, of which the first is the row's own; s = 64, m = 0.5.
Result of_two(double own, double other, int32_t id = 0) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1});
  std::vector<double> x{own, other}, one{1};
  std::vector<int32_t> classes{id};
  Variable cosines = context.tape.input(tensor_of({1, 2}, DType::kF64, x.data()), &rows);
  Variable y = arc_face_loss(context, cosines, classes, 64, 0.5, 1);
  Result result{y.value().data<double>()[0], {}};
  context.tape.backward(y, tensor_of({1, 1}, DType::kF64, one.data()));
  for (int64_t i = 0; i < 2; ++i) result.slopes.push_back(in(cosines.grad()).load<double>(i));
  return result;
}

// 64 cos(pi / 3 + 0.5) = 1.510181 against 64 x 0.
TEST(ArcFace, AddsTheMarginToTheAngle) {
  EXPECT_NEAR(of_two(0.5, 0).loss, std::log1p(std::exp(-1.510181)), 1e-7);
  EXPECT_NEAR(64 * std::cos(std::acos(0.5) + 0.5), 1.510181, 5e-7);
}

// acos(-0.95) + 0.5 is 3.324, beyond pi: 64 (-0.95 - 0.5 sin(0.5)) instead of -62.94.
TEST(ArcFace, GoesOnFallingBeyondPi) {
  Result result = of_two(-0.95, 0);
  EXPECT_NEAR(result.loss, 64 * (0.95 + 0.5 * std::sin(0.5)), 1e-9);
  EXPECT_NEAR(result.slopes[0], -64, 1e-9);
  EXPECT_NEAR(result.slopes[1], 64, 1e-9);
  EXPECT_GT(of_two(-1, 0).loss, result.loss);
  EXPECT_GT(result.loss, of_two(-0.9, 0).loss);
}

TEST(ArcFace, IsFiniteWhereCosinesAreOneOrRoundedBeyond) {
  for (double own : {1.0, 1.0 + 1e-7, -1.0, -1.0 - 1e-7}) {
    Result result = of_two(own, 1);
    EXPECT_TRUE(std::isfinite(result.loss)) << own;
    for (double slope : result.slopes) EXPECT_LE(std::fabs(slope), 64 * 481) << own;
  }
}

TEST(ArcFace, PassesOverRowsWithoutAClass) {
  Result result = of_two(0.5, 0.25, kIgnoredLabel);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.slopes, (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace inlay
