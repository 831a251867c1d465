#include "tensor/kernels/rms_norm.h"

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/rms_norm_reference.h"

namespace inlay::kernels {
namespace {

struct Forward {
  Forward(int64_t rows, int64_t channels, DType input, DType result)
      : x(Elements::normal(input, rows * channels, "x", 2.0)),
        residual(Elements::normal(DType::kF32, rows * channels, "residual")),
        weight(Elements::normal(DType::kF32, channels, "weight")),
        y(unset(result, rows * channels)),
        xhat(unset(result, rows * channels)),
        rstd(unset(result == DType::kF64 ? result : DType::kF32, rows)),
        args{.rows = rows,
             .channels = channels,
             .epsilon = 1e-6,
             .x = in(x),
             .residual = in(residual),
             .weight = in(weight),
             .y = out(y),
             .xhat = out(xhat),
             .rstd = out(rstd)} {}
  Forward(const Forward&) = delete;

  Elements x, residual, weight, y, xhat, rstd;
  RmsNormForward args;
};

TEST(RmsNorm, ForwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType input : kFastTypes) {
        for (DType result : kFastTypes) {
          Forward fast(5, channels, input, result), plain(5, channels, input, DType::kF64);
          if (channels == 0) continue;
          rms_norm_forward(fast.args);
          rms_norm_forward_reference<double>(plain.args);
          expect_close("y", fast.y, plain.y, channels);
          expect_close("xhat", fast.xhat, plain.xhat, channels);
          expect_close("rstd", fast.rstd, plain.rstd, channels);
        }
      }
    }
  });
}

TEST(RmsNorm, WithoutResidualItNormalisesTheInputAlone) {
  Forward call(2, 64, DType::kF32, DType::kF32);
  call.args.residual = nullptr;
  rms_norm_forward(call.args);
  double square = 0;
  for (int64_t c = 0; c < 64; ++c) square += std::pow(in(call.xhat).load<double>(c), 2);
  EXPECT_NEAR(square / 64, 1.0, 1e-5);
  EXPECT_NEAR(in(call.xhat).load<float>(7),
              in(call.x).load<float>(7) * in(call.rstd).load<float>(0), 1e-6);
}

TEST(RmsNorm, ForwardGivesTheSameBitsEverywhere) {
  expect_same_bits_everywhere([] {
    Forward call(130, 770, DType::kBF16, DType::kF32);
    rms_norm_forward(call.args);
    return call.y;
  });
}

TEST(RmsNorm, BackwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements grad_y = Elements::normal(dtype, 5 * channels, "grad_y");
        const Elements xhat = Elements::normal(dtype, 5 * channels, "xhat");
        const Elements weight = Elements::normal(DType::kF32, channels, "weight");
        const Elements rstd = Elements::constant(DType::kF32, 5, 0.75);
        Elements fast = unset(dtype, 5 * channels), plain = unset(DType::kF64, 5 * channels);
        RmsNormBackward args{.rows = 5,
                             .channels = channels,
                             .grad_y = in(grad_y),
                             .xhat = in(xhat),
                             .rstd = in(rstd),
                             .weight = in(weight),
                             .grad_x = out(fast)};
        rms_norm_backward(args);
        args.grad_x = out(plain);
        rms_norm_backward_reference<double>(args);
        expect_close("grad_x", fast, plain, channels);
      }
    }
  });
}

TEST(RmsNorm, BackwardAgreesWithFiniteDifferences) {
  constexpr int64_t kChannels = 5;
  std::vector<double> x = {0.3, -1.2, 0.7, 2.0, -0.4};
  const std::vector<double> pull = {1, -2, 0.5, 3, -1}, weight = {1.5, 0.5, -1, 2, 0.75};
  std::vector<double> y(kChannels), xhat(kChannels), rstd(1), grad(kChannels);
  auto loss = [&] {
    rms_norm_forward({.rows = 1,
                      .channels = kChannels,
                      .x = x.data(),
                      .weight = weight.data(),
                      .y = y.data(),
                      .xhat = xhat.data(),
                      .rstd = rstd.data()});
    double sum = 0;
    for (std::size_t c = 0; c < kChannels; ++c) sum += pull[c] * y[c];
    return sum;
  };
  loss();
  rms_norm_backward({.rows = 1,
                     .channels = kChannels,
                     .grad_y = pull.data(),
                     .xhat = xhat.data(),
                     .rstd = rstd.data(),
                     .weight = weight.data(),
                     .grad_x = grad.data()});
  for (std::size_t c = 0; c < kChannels; ++c) {
    const double kept = x[c];
    x[c] = kept + 1e-5;
    const double above = loss();
    x[c] = kept - 1e-5;
    const double below = loss();
    x[c] = kept;
    EXPECT_NEAR(grad[c], (above - below) / 2e-5, 1e-7) << "channel " << c;
  }
}

}  // namespace
}  // namespace inlay::kernels
