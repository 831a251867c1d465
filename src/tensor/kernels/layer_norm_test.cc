#include "tensor/kernels/layer_norm.h"

#include "base/error.h"
#include "tensor/kernels/layer_norm_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

// The operands of one forward call; results are in `dtype`, statistics in f32 (f64 for the
// reference).
struct Forward {
  Forward(int64_t rows, int64_t channels, DType input, DType result)
      : x(Elements::normal(input, rows * channels, "x", 2.0)),
        residual(Elements::normal(DType::kF32, rows * channels, "residual")),
        gamma(Elements::normal(DType::kF32, channels, "gamma")),
        beta(Elements::normal(DType::kF32, channels, "beta")),
        y(unset(result == DType::kF64 ? result : DType::kF32, rows * channels)),
        copy(unset(result, rows * channels)),
        xhat(unset(result, rows * channels)),
        rstd(unset(result == DType::kF64 ? result : DType::kF32, rows)),
        args{.rows = rows,
             .channels = channels,
             .epsilon = 1e-5,
             .x = in(x),
             .residual = in(residual),
             .gamma = in(gamma),
             .beta = in(beta),
             .y = out(y),
             .y_copy = out(copy),
             .xhat = out(xhat),
             .rstd = out(rstd)} {}
  Forward(const Forward&) = delete;

  Elements x, residual, gamma, beta, y, copy, xhat, rstd;
  LayerNormForward args;
};

void expect_forward_matches(int64_t rows, int64_t channels, DType input, DType result) {
  Forward fast(rows, channels, input, result), plain(rows, channels, input, DType::kF64);
  layer_norm_forward(fast.args);
  layer_norm_forward_reference<double>(plain.args);
  expect_close("y", fast.y, plain.y, channels);
  expect_close("y_copy", fast.copy, plain.copy, channels);
  expect_close("xhat", fast.xhat, plain.xhat, channels);
  expect_close("rstd", fast.rstd, plain.rstd, channels);
}

TEST(LayerNorm, ForwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      if (channels < 3) continue;  // a row of one element has no variance
      for (DType input : kFastTypes) {
        for (DType result : kFastTypes) expect_forward_matches(5, channels, input, result);
      }
    }
    expect_forward_matches(0, 64, DType::kF32, DType::kF32);
    expect_forward_matches(300, 384, DType::kBF16, DType::kBF16);
  });
}

TEST(LayerNorm, AConstantRowGivesBeta) {
  Forward call(3, 40, DType::kF32, DType::kF32);
  const Elements zeros = Elements::constant(DType::kF32, 3 * 40, 0.0);
  const Elements sixes = Elements::constant(DType::kF32, 3 * 40, 6.0);
  call.args.x = in(sixes);
  call.args.residual = in(zeros);
  layer_norm_forward(call.args);
  for (int64_t c = 0; c < 40; ++c) {
    EXPECT_EQ(in(call.y).load<float>(40 + c), in(call.beta).load<float>(c));
  }
}

TEST(LayerNorm, ARowDoesNotDependOnItsNeighbours) {
  Forward all(9, 100, DType::kBF16, DType::kF32), one(1, 100, DType::kBF16, DType::kF32);
  one.args.x = {all.x.data() + 5 * 100 * 2, DType::kBF16};
  one.args.residual = {all.residual.data() + 5 * 100 * 4, DType::kF32};
  layer_norm_forward(all.args);
  layer_norm_forward(one.args);
  for (int64_t c = 0; c < 100; ++c) {
    EXPECT_EQ(in(one.y).load<float>(c), in(all.y).load<float>(500 + c));
  }
}

TEST(LayerNorm, ForwardGivesTheSameBitsEverywhere) {
  expect_same_bits_everywhere([] {
    Forward call(130, 770, DType::kF32, DType::kBF16);
    layer_norm_forward(call.args);
    return call.y;
  });
}

TEST(LayerNorm, ForwardMayWriteOverItsInput) {
  Forward apart(4, 100, DType::kF32, DType::kF32), over(4, 100, DType::kF32, DType::kF32);
  over.args.y = out(over.x);
  layer_norm_forward(apart.args);
  layer_norm_forward(over.args);
  EXPECT_TRUE(over.x == apart.y);
}

struct Backward {
  Backward(int64_t rows, int64_t channels, DType input, DType result)
      : grad_y(Elements::normal(DType::kF32, rows * channels, "grad_y")),
        xhat(Elements::normal(input, rows * channels, "xhat")),
        rstd(Elements::constant(DType::kF32, rows, 0.75)),
        gamma(Elements::normal(DType::kF32, channels, "gamma")),
        grad_x(unset(result == DType::kF64 ? result : DType::kF32, rows * channels)),
        copy(unset(result, rows * channels)),
        args{.rows = rows,
             .channels = channels,
             .grad_y = in(grad_y),
             .xhat = in(xhat),
             .rstd = in(rstd),
             .gamma = in(gamma),
             .grad_x = out(grad_x),
             .grad_x_copy = out(copy)} {}
  Backward(const Backward&) = delete;

  Elements grad_y, xhat, rstd, gamma, grad_x, copy;
  LayerNormBackward args;
};

TEST(LayerNorm, BackwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        Backward fast(5, channels, dtype, dtype), plain(5, channels, dtype, DType::kF64);
        layer_norm_backward(fast.args);
        layer_norm_backward_reference<double>(plain.args);
        expect_close("grad_x", fast.grad_x, plain.grad_x, channels);
        expect_close("grad_x_copy", fast.copy, plain.copy, channels);
      }
    }
  });
}

TEST(LayerNorm, BackwardGivesTheSameBitsEverywhere) {
  expect_same_bits_everywhere([] {
    Backward call(130, 770, DType::kBF16, DType::kF32);
    layer_norm_backward(call.args);
    return call.grad_x;
  });
}

TEST(LayerNorm, BackwardAgreesWithFiniteDifferences) {
  constexpr int64_t kChannels = 6;
  std::vector<double> x = {0.3, -1.2, 0.7, 2.0, -0.4, 0.9}, weight = {1, -2, 0.5, 3, -1, 0.25};
  const std::vector<double> gamma = {1.5, 0.5, -1, 2, 0.75, 1}, beta(kChannels, 0.1);
  std::vector<double> y(kChannels), xhat(kChannels), rstd(1), grad(kChannels);
  auto loss = [&] {
    layer_norm_forward({.rows = 1,
                        .channels = kChannels,
                        .x = x.data(),
                        .gamma = gamma.data(),
                        .beta = beta.data(),
                        .y = y.data(),
                        .xhat = xhat.data(),
                        .rstd = rstd.data()});
    double sum = 0;
    for (std::size_t c = 0; c < kChannels; ++c) sum += weight[c] * y[c];
    return sum;
  };
  loss();
  layer_norm_backward({.rows = 1,
                       .channels = kChannels,
                       .grad_y = weight.data(),
                       .xhat = xhat.data(),
                       .rstd = rstd.data(),
                       .gamma = gamma.data(),
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

TEST(LayerNorm, ParamGradSumsTheRowsOfItsChunk) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      const Elements grad_y = Elements::normal(DType::kF32, 9 * channels, "grad_y");
      const Elements xhat = Elements::normal(DType::kBF16, 9 * channels, "xhat");
      Elements gamma = unset(DType::kF32, channels), beta = gamma;
      Elements wide_gamma = unset(DType::kF64, channels), wide_beta = wide_gamma;
      LayerNormParamGrad args{.first = 2,
                              .last = 8,
                              .channels = channels,
                              .grad_y = in(grad_y),
                              .xhat = in(xhat),
                              .grad_gamma = out(gamma),
                              .grad_beta = out(beta)};
      layer_norm_param_grad(args);
      args.grad_gamma = out(wide_gamma);
      args.grad_beta = out(wide_beta);
      layer_norm_param_grad_reference<double>(args);
      expect_close("grad_gamma", gamma, wide_gamma, 6);
      expect_close("grad_beta", beta, wide_beta, 6);
    }
  });
}

TEST(LayerNorm, RefusesAMixOfTypesThatNoKernelTakes) {
  Forward call(1, 8, DType::kF32, DType::kF32);
  const Elements wide = Elements::constant(DType::kF64, 8, 1.0);
  call.args.gamma = in(wide);
  EXPECT_THROW(layer_norm_forward(call.args), Error);
}

}  // namespace
}  // namespace inlay::kernels
