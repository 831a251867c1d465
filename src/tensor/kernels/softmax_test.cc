#include "tensor/kernels/softmax.h"

#include <limits>

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/softmax_reference.h"

namespace inlay::kernels {
namespace {

TEST(Softmax, ForwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType src : kFastTypes) {
        for (DType dst : kFastTypes) {
          const Elements x = Elements::normal(src, 5 * columns, "x", 4.0);
          Elements y = unset(dst, 5 * columns), wanted = unset(DType::kF64, 5 * columns);
          softmax_forward(in(x), out(y), 5, columns);
          softmax_forward_reference<double>(in(x), out(wanted), 5, columns);
          expect_close("softmax", y, wanted, columns);
        }
      }
    }
  });
}

TEST(Softmax, TakesMaskedAndHugeScores) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  on_every_target([] {
    std::vector<float> x = {-kInfinity, 1e38f, -kInfinity, -kInfinity, -kInfinity, -kInfinity};
    std::vector<float> y(6, 7.0f);
    softmax_forward(x.data(), y.data(), 2, 3);
    EXPECT_EQ(y, (std::vector<float>{0, 1, 0, 0, 0, 0}));
  });
}

TEST(Softmax, ShowsANan) {
  std::vector<float> x(40, 1.0f), y(40);
  x[33] = std::numeric_limits<float>::quiet_NaN();
  softmax_forward(x.data(), y.data(), 1, 40);
  EXPECT_TRUE(std::isnan(y[0]));
}

TEST(Softmax, BackwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements y =
            Elements::constant(dtype, 5 * columns, columns > 0 ? 1.0 / columns : 0.0);
        const Elements grad_y = Elements::normal(dtype, 5 * columns, "grad_y");
        Elements fast = unset(dtype, 5 * columns), plain = unset(DType::kF64, 5 * columns);
        softmax_backward(in(y), in(grad_y), out(fast), 5, columns);
        softmax_backward_reference<double>(in(y), in(grad_y), out(plain), 5, columns);
        expect_close("grad_x", fast, plain, columns);
      }
    }
  });
}

TEST(Softmax, GivesTheSameBitsEverywhereAndInPlace) {
  for (DType dtype : kFastTypes) {
    expect_same_bits_everywhere([&] {
      Elements y = Elements::normal(dtype, 300 * 129, "x", 4.0);
      softmax_forward(in(y), out(y), 300, 129);
      return y;
    });
  }
}

TEST(Softmax, BackwardAgreesWithFiniteDifferences) {
  std::vector<double> x = {0.3, -1.2, 0.7, 2.0}, y(4), grad(4);
  const std::vector<double> pull = {1, -2, 0.5, 3};
  auto loss = [&] {
    softmax_forward(x.data(), y.data(), 1, 4);
    double sum = 0;
    for (std::size_t c = 0; c < 4; ++c) sum += pull[c] * y[c];
    return sum;
  };
  loss();
  softmax_backward(y.data(), pull.data(), grad.data(), 1, 4);
  for (std::size_t c = 0; c < 4; ++c) {
    const double kept = x[c];
    x[c] = kept + 1e-5;
    const double above = loss();
    x[c] = kept - 1e-5;
    const double below = loss();
    x[c] = kept;
    EXPECT_NEAR(grad[c], (above - below) / 2e-5, 1e-8) << "column " << c;
  }
}

}  // namespace
}  // namespace inlay::kernels
