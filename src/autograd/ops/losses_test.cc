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

TEST(BinaryCrossEntropy, KeepsTheContract) {
  expect_op_contract([](int64_t labels) { return real_target_case(labels, binary_cross_entropy); });
}

TEST(SquaredError, KeepsTheContract) {
  expect_op_contract([](int64_t values) { return real_target_case(values, squared_error); });
}

}  // namespace
}  // namespace inlay
