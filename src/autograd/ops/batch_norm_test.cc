#include "autograd/ops/batch_norm.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

Tensor drawn_variance(int64_t channels) {
  Tensor variance = drawn_tensor("variance", {channels});
  for (int64_t c = 0; c < channels; ++c) {
    double number = in(variance).load<double>(c);
    out(variance).store(c, 0.5 + number * number);
  }
  return variance;
}

BatchNormWeights drawn_weights(int64_t channels) {
  return {.mean = drawn_tensor("mean", {channels}),
          .variance = drawn_variance(channels),
          .gamma = drawn_tensor("gamma", {channels}),
          .beta = drawn_tensor("beta", {channels})};
}

TEST(ChannelAffine, KeepsTheContract) {
  for (Clamp clamp : {Clamp{}, clamp_of(kernels::Activation::kRelu).value(),
                      clamp_of(kernels::Activation::kRelu6).value(), Clamp{-0.4f, 0.4f}}) {
    for (Precision precision : {Precision::kFull, Precision::kCompute}) {
      expect_op_contract([&](int64_t channels) {
        return OpCase{
            .inputs = {{channels, RowsOf::kTokens, precision}}, .function = [=](OpRun& run) {
              return channel_affine(run.context, run.x[0], drawn_tensor("scale", {channels}),
                                    drawn_tensor("shift", {channels}), precision, clamp);
            }};
      });
    }
  }
}

TEST(BatchNorm, NormalisesByTheStatisticsItIsGiven) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}}, .function = [=](OpRun& run) {
                    return batch_norm(run.context, run.x[0], drawn_weights(channels));
                  }};
  });
}

OpCase trained_case(int64_t channels, bool batch_statistics) {
  return {
      .inputs = {{channels}}, .parameters = {{channels}, {channels}}, .function = [=](OpRun& run) {
        BatchNormWeights weights = drawn_weights(channels);
        weights.trained_gamma = &run.p[0];
        weights.trained_beta = &run.p[1];
        weights.batch_statistics = batch_statistics;
        return batch_norm(run.context, run.x[0], weights);
      }};
}

TEST(BatchNorm, TrainsGammaAndBeta) {
  expect_op_contract([](int64_t channels) { return trained_case(channels, false); });
}

// Micro-batches have statistics of their own, so of the contract all but those holds.
TEST(BatchNorm, PassesGradientsThroughTheStatisticsOfTheBatch) {
  Threads one(1);
  expect_gradients_are_derivatives(trained_case(4, true));
  for (int64_t channels : {4, 36}) expect_types_agree(trained_case(channels, true), channels);
}

TEST(BatchNorm, StatisticsOfABatchDoNotDependOnThreads) {
  OpTrial trial(trained_case(20, true), {300, 200, 500, 90});
  for (DType compute : {DType::kF32, DType::kBF16}) {
    std::vector<NamedNumbers> whole;
    {
      Threads one(1);
      whole = trial.run(compute, {4});
    }
    Threads two(2);
    expect_same_bits(trial.run(compute, {4}), whole);
  }
}

TEST(BatchNorm, TellsWhatItSaw) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1, 1, 1});
  const std::vector<double> numbers = {1, 0, 2, 0, 6, 0};
  Variable x = context.tape.constant(tensor_of({3, 2}, DType::kF32, numbers.data()), &rows);
  BatchStatistics seen;
  BatchNormWeights weights = drawn_weights(2);
  weights.eps = 0.25f;
  weights.batch_statistics = true;
  weights.seen = &seen;
  Variable y = batch_norm(context, x, weights);
  EXPECT_FLOAT_EQ(seen.mean.data<float>()[0], 3);
  EXPECT_FLOAT_EQ(seen.variance.data<float>()[0], 7);  // 14 / (3 - 1)
  EXPECT_FLOAT_EQ(seen.variance.data<float>()[1], 0);
  double expected = -2 / std::sqrt(14.0 / 3 + 0.25) * in(weights.gamma).load<double>(0) +
                    in(weights.beta).load<double>(0);
  EXPECT_NEAR(static_cast<double>(y.value().data<float>()[0]), expected, 2e-6);
  EXPECT_FLOAT_EQ(y.value().data<float>()[1], weights.beta.data<float>()[1]);
}

TEST(BatchNorm, RefusesABatchOfOnePlace) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1});
  Variable x = context.tape.constant(drawn_tensor("x", {1, 4}), &rows);
  BatchNormWeights weights = drawn_weights(4);
  weights.batch_statistics = true;
  try {
    batch_norm(context, x, weights);
    ADD_FAILURE() << "a batch of one place has no variance";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("trained on 1 places"), std::string::npos);
  }
}

}  // namespace
}  // namespace inlay
