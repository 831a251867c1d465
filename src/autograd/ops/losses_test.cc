#include "autograd/ops/losses.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

OpCase cross_entropy_case(int64_t classes, const CrossEntropyOptions& options, bool ignores) {
  return {.inputs = {{classes}}, .function = [=](OpRun& run) {
            std::vector<int32_t>& targets = run.numbers(run.tokens, static_cast<int32_t>(classes));
            for (std::size_t i = 0; ignores && i < targets.size(); ++i) {
              if (run.tokens.token_position[i] % 3 == 1) targets[i] = kIgnoredLabel;
            }
            return cross_entropy(run.context, run.x[0], targets, options);
          }};
}

TEST(CrossEntropy, KeepsTheContract) {
  expect_op_contract(
      [](int64_t classes) { return cross_entropy_case(classes, {.normalizer = 3}, false); });
}

TEST(CrossEntropy, SmoothsLabelsWeighsClassesAndIgnoresRows) {
  expect_op_contract([](int64_t classes) {
    Tensor weights = drawn_tensor("weights", {classes});
    for (int64_t c = 0; c < classes; ++c)
      weights.mutable_data<float>()[c] = std::fabs(weights.data<float>()[c]);
    return cross_entropy_case(
        classes, {.normalizer = 3, .label_smoothing = 0.1, .class_weights = weights}, true);
  });
}

// A loss against real targets in [0, 1], the same for every micro-batch.
template <class Loss>
OpCase real_target_case(int64_t labels, Loss loss) {
  return {.inputs = {{labels, RowsOf::kExamples}},
          .function =
              [=](OpRun& run) {
                Tensor targets = Tensor::empty({run.examples.rows(), labels}, DType::kF32);
                for (int64_t i = 0; i < targets.count(); ++i) {
                  int32_t place = run.examples.example_place[static_cast<std::size_t>(i / labels)];
                  targets.mutable_data<float>()[i] =
                      static_cast<float>((place * 3 + i % labels) % 5) * 0.25f;
                }
                return loss(run.context, run.x[0], targets, 4.0);
              },
          .equal_seeds = true};
}

TEST(SoftCrossEntropy, KeepsTheContract) {
  expect_op_contract([](int64_t classes) { return real_target_case(classes, soft_cross_entropy); });
}

// p = (1/4, 3/4): the loss is t_0 log 4 + t_1 log (4/3), its gradient p - t.
TEST(SoftCrossEntropy, WeighsTheLossesOfBothClasses) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1});
  std::vector<double> logits{0, std::log(3.0)};
  std::vector<float> shares{0.25f, 0.75f}, certain{0, 1}, mixed{0.625f, 0.375f};
  auto loss_of = [&](const std::vector<float>& targets, Tensor* gradient) {
    Variable x =
        context.tape.input(tensor_of({1, 2}, DType::kF64, logits.data(), &context.arena), &rows);
    Tensor wanted = Tensor::of<float>({1, 2}, targets);
    Variable loss = soft_cross_entropy(context, x, wanted, 2.0);
    double value = loss.value().data<double>()[0];
    Tensor seed = Tensor::empty({1, 1}, DType::kF64, &context.arena);
    seed.mutable_data<double>()[0] = 1;
    context.tape.backward(loss, std::move(seed));
    *gradient = x.grad().clone();
    return value;
  };
  Tensor gradient;
  EXPECT_NEAR(loss_of(shares, &gradient), (0.25 * std::log(4.0) + 0.75 * std::log(4.0 / 3)) / 2,
              1e-12);
  EXPECT_NEAR(gradient.data<double>()[0], 0, 1e-12);
  EXPECT_NEAR(loss_of(certain, &gradient), std::log(4.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(loss_of(mixed, &gradient), (0.625 * std::log(4.0) + 0.375 * std::log(4.0 / 3)) / 2,
              1e-12);
  EXPECT_NEAR(gradient.data<double>()[0], (0.25 - 0.625) / 2, 1e-12);
  EXPECT_NEAR(gradient.data<double>()[1], (0.75 - 0.375) / 2, 1e-12);
}

TEST(BinaryCrossEntropy, KeepsTheContract) {
  expect_op_contract([](int64_t labels) { return real_target_case(labels, binary_cross_entropy); });
}

TEST(SquaredError, KeepsTheContract) {
  expect_op_contract([](int64_t values) { return real_target_case(values, squared_error); });
}

}  // namespace
}  // namespace inlay
