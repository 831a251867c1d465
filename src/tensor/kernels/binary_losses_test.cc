#include "tensor/kernels/binary_losses.h"

#include "tensor/kernels/binary_losses_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

Elements zeros_and_ones(int64_t count) {
  std::vector<double> targets;
  for (int64_t i = 0; i < count; ++i) targets.push_back(i % 3 == 0 ? 1.0 : 0.0);
  return Elements(DType::kF32, targets);
}

// Runs forward(x, t, rows, columns, loss) and backward(x, t, grad, count), both fast and plain.
template <class Forward, class PlainForward, class Backward, class PlainBackward>
void expect_matches(const Forward& forward, const PlainForward& plain_forward,
                    const Backward& backward, const PlainBackward& plain_backward) {
  on_every_target([&] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 4 * columns, "x", 4.0),
                       t = zeros_and_ones(4 * columns);
        Elements loss = unset(DType::kF32, 4), wide_loss = unset(DType::kF64, 4);
        forward(in(x), in(t), columns, out(loss));
        plain_forward(in(x), in(t), columns, out(wide_loss));
        expect_close("loss", loss, wide_loss, columns);
        Elements grad = unset(dtype, 4 * columns), wide_grad = unset(DType::kF64, 4 * columns);
        backward(in(x), in(t), out(grad), 4 * columns);
        plain_backward(in(x), in(t), out(wide_grad), 4 * columns);
        expect_close("grad", grad, wide_grad, 1);
      }
    }
  });
}

TEST(BinaryCrossEntropy, MatchesTheReference) {
  expect_matches(
      [](Input x, Input t, int64_t c, Output y) { bce_with_logits_forward(x, t, 4, c, y); },
      [](Input x, Input t, int64_t c, Output y) {
        bce_with_logits_forward_reference<double>(x, t, 4, c, y);
      },
      [](Input x, Input t, Output g, int64_t n) { bce_with_logits_backward(x, t, 0.3, g, n); },
      [](Input x, Input t, Output g, int64_t n) {
        bce_with_logits_backward_reference<double>(x, t, 0.3, g, n);
      });
}

TEST(SquaredError, MatchesTheReference) {
  expect_matches(
      [](Input x, Input t, int64_t c, Output y) { squared_error_forward(x, t, 4, c, y); },
      [](Input x, Input t, int64_t c, Output y) {
        squared_error_forward_reference<double>(x, t, 4, c, y);
      },
      [](Input x, Input t, Output g, int64_t n) { squared_error_backward(x, t, 0.3, g, n); },
      [](Input x, Input t, Output g, int64_t n) {
        squared_error_backward_reference<double>(x, t, 0.3, g, n);
      });
}

TEST(BinaryCrossEntropy, OfConfidentLogitsIsFinite) {
  const std::vector<float> x = {-1e30f, 1e30f, 100.0f, -100.0f}, t = {0, 1, 0, 1};
  std::vector<float> loss(4);
  on_every_target([&] {
    bce_with_logits_forward(x.data(), t.data(), 4, 1, loss.data());
    EXPECT_EQ(loss, (std::vector<float>{0, 0, 100, 100}));
  });
}

TEST(BinaryLosses, GradientsAgreeWithFiniteDifferences) {
  const std::vector<double> x = {0.3, -1.2, 2.5}, t = {1, 0, 0.25};
  std::vector<double> bce(3), square(3);
  bce_with_logits_backward(x.data(), t.data(), 1.0, bce.data(), 3);
  squared_error_backward(x.data(), t.data(), 1.0, square.data(), 3);
  std::vector<double> above = x, below = x, high(3), low(3);
  for (std::size_t i = 0; i < 3; ++i) above[i] += 1e-5, below[i] -= 1e-5;
  bce_with_logits_forward(above.data(), t.data(), 3, 1, high.data());
  bce_with_logits_forward(below.data(), t.data(), 3, 1, low.data());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(bce[i], (high[i] - low[i]) / 2e-5, 1e-8);
  squared_error_forward(above.data(), t.data(), 3, 1, high.data());
  squared_error_forward(below.data(), t.data(), 3, 1, low.data());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(square[i], (high[i] - low[i]) / 2e-5, 1e-8);
}

TEST(BinaryLosses, GiveTheSameBitsEverywhere) {
  const Elements x = Elements::normal(DType::kF32, 100 * 1001, "x", 4.0),
                 t = zeros_and_ones(100 * 1001);
  expect_same_bits_everywhere([&] {
    Elements loss = unset(DType::kF32, 200);
    bce_with_logits_forward(in(x), in(t), 100, 1001, out(loss));
    squared_error_forward(in(x), in(t), 100, 1001, {loss.data() + 400, DType::kF32});
    return loss;
  });
}

}  // namespace
}  // namespace inlay::kernels
