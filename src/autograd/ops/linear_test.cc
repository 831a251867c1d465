#include "autograd/ops/linear.h"

#include "autograd/gradient_check.h"
#include "tensor/quantised/quantised_test.h"

namespace inlay {
namespace {

enum class Bias { kAbsent, kPresent };

std::shared_ptr<FrozenWeight> frozen_weight(int64_t in, int64_t out, onednn::Layout layout,
                                            Bias bias) {
  Shape shape = layout == onednn::Layout::kOutIn ? Shape{out, in} : Shape{in, out};
  Tensor numbers = bias == Bias::kPresent ? drawn_tensor("bias", {out}) : Tensor();
  return std::make_shared<FrozenWeight>(drawn_tensor("weight", shape), numbers, layout, nullptr);
}

// A layer that widens by two, with frozen weights and the given trainable ones in their place.
OpCase linear_case(int64_t in, std::shared_ptr<FrozenWeight> frozen, std::vector<Shape> trained,
                   Precision precision = Precision::kFull) {
  return {.inputs = {{in}}, .parameters = trained, .function = [=](OpRun& run) {
            LinearWeights weights{.frozen = frozen.get()};
            for (Parameter& parameter : run.p) {
              (parameter.shape().rank() == 2 ? weights.weight : weights.bias) = &parameter;
            }
            return linear(run.context, run.x[0], weights, precision);
          }};
}

TEST(Linear, PassesGradientsThroughAFrozenWeightOfEitherLayout) {
  for (onednn::Layout layout : {onednn::Layout::kOutIn, onednn::Layout::kInOut}) {
    for (Bias bias : {Bias::kAbsent, Bias::kPresent}) {
      expect_op_contract(
          [&](int64_t in) { return linear_case(in, frozen_weight(in, in + 2, layout, bias), {}); });
    }
  }
}

std::shared_ptr<FrozenWeight> quantised_weight(int64_t in, int64_t out, BlockFormat format) {
  return std::make_shared<FrozenWeight>(drawn_matrix(format, out, in), drawn_tensor("bias", {out}));
}

TEST(Linear, PassesGradientsThroughAQuantisedWeight) {
  expect_op_contract([](int64_t in) {
    return linear_case(in, quantised_weight(in, in + 2, BlockFormat::kInt8Rows), {});
  });
  expect_op_contract([](int64_t channels) {  // blocks of 64
    int64_t in = channels * 16;
    return linear_case(in, quantised_weight(in, 6, BlockFormat::kNf4), {});
  });
}

TEST(Linear, AQuantisedWeightGivesWhatItsNumbersGiveInEveryFormat) {
  for (const BlockFormatInfo& info : block_formats()) {
    SCOPED_TRACE(info.name);
    auto quantised = quantised_weight(256, 150, info.format);
    auto dense = std::make_shared<FrozenWeight>(quantised->dense(DType::kF32), quantised->bias(),
                                                onednn::Layout::kOutIn, nullptr);
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16}) {
      auto found = OpTrial(linear_case(256, quantised, {}), {70, 3}).run(compute, {2});
      auto wanted = OpTrial(linear_case(256, dense, {}), {70, 3}).run(compute, {2});
      for (std::size_t r = 0; r < wanted.size(); ++r)
        expect_near(found[r], wanted[r].numbers, 1e-6 * largest_magnitude(wanted[r].numbers));
    }
  }
}

TEST(Linear, TrainsAWeightAndABias) {
  expect_op_contract([](int64_t in) { return linear_case(in, nullptr, {{in + 2, in}, {in + 2}}); });
}

TEST(Linear, TrainsAWeightWithoutABias) {
  expect_op_contract([](int64_t in) { return linear_case(in, nullptr, {{in + 2, in}}); });
}

TEST(Linear, TrainsABiasOverAFrozenWeight) {
  expect_op_contract([](int64_t in) {
    return linear_case(in, frozen_weight(in, in + 2, onednn::Layout::kOutIn, Bias::kPresent),
                       {{in + 2}});
  });
}

TEST(Linear, TrainsAWeightOverAFrozenBias) {
  expect_op_contract([](int64_t in) {
    return linear_case(in, frozen_weight(in, in + 2, onednn::Layout::kOutIn, Bias::kPresent),
                       {{in + 2, in}});
  });
}

TEST(Linear, StoresItsResultInTheComputeType) {
  expect_op_contract([](int64_t in) {
    return linear_case(in, nullptr, {{in + 2, in}, {in + 2}}, Precision::kCompute);
  });
}

TEST(Linear, SumsTheGradientsOfAWeightThatIsUsedTwice) {
  expect_op_contract([](int64_t in) {
    return OpCase{.inputs = {{in}}, .parameters = {{in, in}}, .function = [](OpRun& run) {
                    LinearWeights weights{.weight = &run.p[0]};
                    Variable once = linear(run.context, run.x[0], weights, Precision::kFull);
                    return linear(run.context, once, weights, Precision::kFull);
                  }};
  });
}

TEST(Linear, RefusesAnotherNumberOfChannels) {
  OpTrial trial({.inputs = {{5}},
                 .function =
                     [](OpRun& run) {
                       auto frozen = frozen_weight(4, 6, onednn::Layout::kOutIn, Bias::kAbsent);
                       return linear(run.context, run.x[0], {.frozen = frozen.get()},
                                     Precision::kFull);
                     }},
                {2});
  EXPECT_THROW(trial.run(DType::kF32, {1}), Error);
}

TEST(Linear, TimesFrozenLeavesTheBiasOut) {
  auto frozen = frozen_weight(4, 6, onednn::Layout::kOutIn, Bias::kPresent);
  Tensor rows = drawn_tensor("rows", {3, 4});
  for (DType compute : {DType::kF64, DType::kF32, DType::kBF16}) {
    OpContext context(compute);
    Tensor product = times_frozen(context, rows, *frozen);
    const Tensor& weight = frozen->exact();
    for (int64_t i = 0; i < product.count(); ++i) {
      double sum = 0;
      for (int64_t k = 0; k < 4; ++k)
        sum += in(rows).load<double>(i / 6 * 4 + k) * weight.data<double>()[i % 6 * 4 + k];
      EXPECT_NEAR(in(product).load<double>(i), sum, compute == DType::kBF16 ? 0.05 : 1e-5);
    }
  }
}

}  // namespace
}  // namespace inlay
