#include "autograd/ops/layer_norm.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

enum class Residual { kAbsent, kPresent };
struct Trained {
  bool gamma = false;
  bool beta = false;
};

OpCase norm_case(int64_t channels, Residual residual, Trained trained,
                 Precision x = Precision::kFull) {
  OpCase op{.inputs = {{channels, RowsOf::kTokens, x}}};
  if (residual == Residual::kPresent) op.inputs.push_back({channels});
  op.parameters.assign(static_cast<std::size_t>(trained.gamma + trained.beta), Shape{channels});
  NormWeights weights{.gamma = drawn_tensor("gamma", {channels}),
                      .beta = drawn_tensor("beta", {channels}),
                      .eps = 1e-5f};
  op.function = [=](OpRun& run) {
    NormWeights with_trained = weights;
    if (trained.gamma) with_trained.trained_gamma = &run.p.front();
    if (trained.beta) with_trained.trained_beta = &run.p.back();
    return layer_norm(run.context, run.x[0], run.x.size() > 1 ? run.x[1] : Variable(),
                      with_trained);
  };
  return op;
}

TEST(LayerNorm, NormalisesWithFrozenWeights) {
  expect_op_contract([](int64_t channels) { return norm_case(channels, Residual::kAbsent, {}); });
}

TEST(LayerNorm, NormalisesTheSumWithAResidual) {
  expect_op_contract([](int64_t channels) { return norm_case(channels, Residual::kPresent, {}); });
}

TEST(LayerNorm, GivesEachOfTwoTypesItsGradient) {
  expect_op_contract([](int64_t channels) {
    return norm_case(channels, Residual::kPresent, {}, Precision::kCompute);
  });
}

TEST(LayerNorm, TrainsGammaAndBetaTogetherAndAlone) {
  for (Trained trained : {Trained{true, true}, Trained{true, false}, Trained{false, true}}) {
    expect_op_contract(
        [&](int64_t channels) { return norm_case(channels, Residual::kPresent, trained); });
  }
}

TEST(LayerNorm, MakesTheNarrowCopyThatProductsRead) {
  OpContext context(DType::kBF16);
  RowSpace rows = make_row_space({3});
  NormWeights weights{.gamma = drawn_tensor("gamma", {16}), .beta = drawn_tensor("beta", {16})};
  Variable y =
      layer_norm(context, context.tape.constant(drawn_tensor("x", {3, 16}), &rows), {}, weights);
  std::size_t before = context.arena.bytes_in_use();
  Tensor narrow = context.tape.value_as(y, DType::kBF16), expected = y.value().to(DType::kBF16);
  EXPECT_EQ(context.arena.bytes_in_use(), before);
  EXPECT_EQ(std::memcmp(narrow.raw(), expected.raw(), expected.byte_count()), 0);
}

}  // namespace
}  // namespace inlay
