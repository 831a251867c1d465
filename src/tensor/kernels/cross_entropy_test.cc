#include "tensor/kernels/cross_entropy.h"

#include <limits>

#include "tensor/kernels/cross_entropy_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr int32_t kTargets[] = {2, kIgnoredTarget, 0, 1, 2};

struct Case {
  int64_t classes;
  double smoothing;
  bool weighted;
};

constexpr Case kCases[] = {
    {3, 0, false}, {3, 0.1, true}, {33, 0.1, false}, {100, 0, true}, {1000, 0.2, true}};

CrossEntropy args_of(const Case& test, const Elements& weights) {
  CrossEntropy args{
      .rows = 5, .classes = test.classes, .targets = kTargets, .label_smoothing = test.smoothing};
  if (test.weighted) args.class_weights = in(weights);
  return args;
}

Elements weights_of(int64_t classes) {
  std::vector<double> weights;
  for (int64_t c = 0; c < classes; ++c) weights.push_back(0.5 + 0.25 * static_cast<double>(c % 7));
  return Elements(DType::kF32, weights);
}

TEST(CrossEntropy, ForwardMatchesTheReference) {
  on_every_target([] {
    for (const Case& test : kCases) {
      for (DType dtype : kFastTypes) {
        const Elements weights = weights_of(test.classes);
        const Elements logits = Elements::normal(dtype, 5 * test.classes, "logits", 3.0);
        Elements loss = unset(DType::kF32, 5), lse = loss;
        Elements wide_loss = unset(DType::kF64, 5), wide_lse = wide_loss;
        cross_entropy_forward(args_of(test, weights), in(logits), out(loss), out(lse));
        cross_entropy_forward_reference<double>(args_of(test, weights), in(logits), out(wide_loss),
                                                out(wide_lse));
        expect_close("loss", loss, wide_loss, test.classes);
        expect_close("lse", lse, wide_lse, test.classes);
        EXPECT_EQ(in(loss).load<float>(1), 0.0f) << "of an ignored row";
      }
    }
  });
}

TEST(CrossEntropy, BackwardMatchesTheReferenceAlsoInPlace) {
  on_every_target([] {
    for (const Case& test : kCases) {
      for (DType dtype : kFastTypes) {
        const Elements weights = weights_of(test.classes),
                       lse = Elements::constant(DType::kF32, 5, 6.5);
        Elements logits = Elements::normal(dtype, 5 * test.classes, "logits", 3.0);
        Elements grad = unset(dtype, 5 * test.classes),
                 wanted = unset(DType::kF64, 5 * test.classes);
        cross_entropy_backward(args_of(test, weights), in(logits), in(lse), 0.3, out(grad));
        cross_entropy_backward_reference<double>(args_of(test, weights), in(logits), in(lse), 0.3,
                                                 out(wanted));
        expect_close("grad_logits", grad, wanted, test.classes);
        cross_entropy_backward(args_of(test, weights), in(logits), in(lse), 0.3, out(logits));
        EXPECT_TRUE(logits == grad);
      }
    }
  });
}

TEST(CrossEntropy, BackwardAgreesWithFiniteDifferences) {
  std::vector<double> x = {0.3, -1.2, 0.7, 2.0}, loss(1), lse(1), grad(4);
  const std::vector<double> weights = {1, 2, 0.5, 3};
  const int32_t target = 1;
  const CrossEntropy args{.rows = 1,
                          .classes = 4,
                          .targets = &target,
                          .label_smoothing = 0.1,
                          .class_weights = weights.data()};
  auto value = [&] {
    cross_entropy_forward(args, x.data(), loss.data(), lse.data());
    return loss[0];
  };
  value();
  cross_entropy_backward(args, x.data(), lse.data(), 1.0, grad.data());
  for (std::size_t c = 0; c < 4; ++c) {
    const double kept = x[c];
    x[c] = kept + 1e-5;
    const double above = value();
    x[c] = kept - 1e-5;
    const double below = value();
    x[c] = kept;
    EXPECT_NEAR(grad[c], (above - below) / 2e-5, 1e-8) << "class " << c;
  }
}

// From torch.nn.functional.cross_entropy of PyTorch 1.13 in float64:
//   x = torch.tensor([[.5, -1, 2], [0, 0, 0], [3, 1, -2], [.25, -.75, 1.5]], dtype=torch.float64)
//   cross_entropy(x, torch.tensor([2, -100, 1, 0]), weight=torch.tensor([.5, 2, 1.25]).double(),
//   label_smoothing=.1)
TEST(CrossEntropy, MeanIsPyTorchs) {
  const std::vector<double> x = {.5, -1, 2, 0, 0, 0, 3, 1, -2, .25, -.75, 1.5},
                            weights = {.5, 2, 1.25};
  const int32_t targets[] = {2, kIgnoredTarget, 1, 0};
  std::vector<double> loss(4), lse(4);
  CrossEntropy args{.rows = 4,
                    .classes = 3,
                    .targets = targets,
                    .label_smoothing = .1,
                    .class_weights = weights.data()};
  cross_entropy_forward(args, x.data(), loss.data(), lse.data());
  EXPECT_NEAR((loss[0] + loss[1] + loss[2] + loss[3]) / cross_entropy_weight(args),
              1.5060007856416489, 1e-12);
  args.class_weights = nullptr;
  cross_entropy_forward(args, x.data(), loss.data(), lse.data());
  EXPECT_NEAR((loss[0] + loss[1] + loss[2] + loss[3]) / cross_entropy_weight(args),
              1.3766097132639856, 1e-12);
}

TEST(CrossEntropy, TakesHugeLogitsAndShowsANan) {
  const int32_t targets[] = {0, 0};
  const CrossEntropy args{.rows = 2, .classes = 2, .targets = targets};
  const std::vector<float> x = {1e30f, -1e30f, std::numeric_limits<float>::quiet_NaN(), 0};
  std::vector<float> loss(2), lse(2);
  on_every_target([&] {
    cross_entropy_forward(args, x.data(), loss.data(), lse.data());
    EXPECT_EQ(loss[0], 0.0f);
    EXPECT_TRUE(std::isnan(loss[1]));
  });
}

TEST(CrossEntropy, OfAVocabularyGivesTheSameBitsEverywhere) {
  const std::vector<int32_t> targets = {30521, 0, 77};
  const CrossEntropy args{
      .rows = 3, .classes = 30522, .targets = targets.data(), .label_smoothing = 0.1};
  expect_same_bits_everywhere([&] {
    Elements logits = Elements::normal(DType::kBF16, 3 * 30522, "logits", 4.0);
    Elements loss = unset(DType::kF32, 3), lse = loss;
    cross_entropy_forward(args, in(logits), out(loss), out(lse));
    cross_entropy_backward(args, in(logits), in(lse), 0.5, out(logits));
    return logits;
  });
}

}  // namespace
}  // namespace inlay::kernels
