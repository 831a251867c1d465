#include "autograd/ops/add.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

OpCase sum_case(int64_t channels, Precision a, Precision b, double factor) {
  return {
      .inputs = {{channels, RowsOf::kTokens, a}, {channels, RowsOf::kTokens, b}},
      .function = [=](OpRun& run) { return add_scaled(run.context, run.x[0], run.x[1], factor); }};
}

TEST(Add, PassesTheGradientToBothTerms) {
  expect_op_contract(
      [](int64_t channels) { return sum_case(channels, Precision::kFull, Precision::kFull, 1.0); });
}

TEST(Add, PassesTheGradientTwiceToATermThatIsBoth) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}},
                  .function = [](OpRun& run) { return add(run.context, run.x[0], run.x[0]); }};
  });
}

TEST(AddScaled, ScalesTheSecondTermAlone) {
  expect_op_contract([](int64_t channels) {
    return sum_case(channels, Precision::kFull, Precision::kFull, -0.75);
  });
}

TEST(AddScaled, TakesTermsOfTwoTypes) {
  for (double factor : {1.0, 0.3}) {
    expect_op_contract([&](int64_t channels) {
      return sum_case(channels, Precision::kFull, Precision::kCompute, factor);
    });
  }
}

}  // namespace
}  // namespace inlay
