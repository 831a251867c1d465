#include "tensor/kernels/batch_norm.h"

#include <cmath>

#include "tensor/kernels/batch_norm_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kRows = 1100;  // five blocks, the last of them short
constexpr int64_t kChannels[] = {1, 16, 37, 600};

std::vector<float> scratch_for(int64_t rows, int64_t channels) {
  return std::vector<float>(batch_sums_scratch(rows, channels));
}

Elements vector_of(std::string_view name, int64_t channels) {
  return Elements::normal(DType::kF32, channels, name);
}

TEST(BatchNorm, AffineMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 40 * channels, "x");
        const Elements factors = vector_of("factors", channels);
        const Elements addends = vector_of("addends", channels);
        Elements found = unset(dtype, x.count()), wanted = unset(DType::kF64, x.count());
        ChannelAffine args{40, channels, in(x), in(factors), in(addends), out(found)};
        channel_affine(args);
        args.dst = out(wanted);
        channel_affine_reference<double>(args);
        expect_close("affine", found, wanted, 1, 2.0);
        args.least = 0;
        args.most = 0.5f;
        channel_affine_reference<double>(args);
        args.dst = out(found);
        channel_affine(args);
        expect_close("clamped", found, wanted, 1, 2.0);
        const Elements grad = Elements::normal(dtype, x.count(), "grad"), y = found;
        ChannelAffineBackward back{40, channels, in(y), in(grad), in(factors), out(found), 0, 0.5f};
        channel_affine_backward(back);
        back.grad_x = out(wanted);
        channel_affine_backward_reference<double>(back);
        expect_close("clamped backward", found, wanted, 1, 2.0);
      }
    }
  });
}

TEST(BatchNorm, AClampLetsWhatIsNoNumberStay) {
  const std::vector<float> x = {std::nanf(""), -1, 3}, one(3, 1.0f), zero(3, 0.0f);
  std::vector<float> y(3);
  channel_affine({1, 3, x.data(), one.data(), zero.data(), y.data(), 0, 2});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[2], 2);
}

TEST(BatchNorm, MomentsMatchTheReference) {
  on_every_target([] {
    for (int64_t channels : kChannels) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kRows * channels, "x", 3.0);
        Elements mean = unset(DType::kF32, channels), variance = mean;
        Elements wanted_mean = unset(DType::kF64, channels), wanted_variance = wanted_mean;
        BatchMoments args{kRows, channels, in(x), out(mean), out(variance)};
        std::vector<float> scratch = scratch_for(kRows, channels);
        batch_moments(args, scratch);
        args.mean = out(wanted_mean);
        args.variance = out(wanted_variance);
        batch_moments_reference<double>(args);
        expect_close("mean", mean, wanted_mean, 64, 3.0);
        expect_close("variance", variance, wanted_variance, 64);
      }
    }
  });
}

TEST(BatchNorm, MomentsOfFewRowsAreKnown) {
  const std::vector<float> x = {1, 10, 2, 10, 6, 10};
  std::vector<float> mean(2), variance(2), scratch(batch_sums_scratch(3, 2));
  batch_moments({3, 2, x.data(), mean.data(), variance.data()}, scratch);
  EXPECT_FLOAT_EQ(mean[0], 3);
  EXPECT_FLOAT_EQ(mean[1], 10);
  EXPECT_FLOAT_EQ(variance[0], 14.0f / 3);
  EXPECT_NEAR(variance[1], 0, 1e-10);
}

TEST(BatchNorm, ForwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 40 * channels, "x");
        const Elements mean = vector_of("mean", channels), rstd = vector_of("rstd", channels);
        const Elements gamma = vector_of("gamma", channels), beta = vector_of("beta", channels);
        Elements y = unset(dtype, x.count()), xhat = y;
        Elements wanted_y = unset(DType::kF64, x.count()), wanted_xhat = wanted_y;
        BatchNormForward args{.rows = 40,
                              .channels = channels,
                              .x = in(x),
                              .mean = in(mean),
                              .rstd = in(rstd),
                              .gamma = in(gamma),
                              .beta = in(beta),
                              .y = out(y),
                              .xhat = out(xhat)};
        batch_norm_forward(args);
        args.y = out(wanted_y);
        args.xhat = out(wanted_xhat);
        batch_norm_forward_reference<double>(args);
        expect_close("y", y, wanted_y, 3, 4.0);
        expect_close("xhat", xhat, wanted_xhat, 3, 4.0);
      }
    }
  });
}

TEST(BatchNorm, BackwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kChannels) {
      for (DType dtype : kFastTypes) {
        const Elements grad = Elements::normal(dtype, kRows * channels, "grad");
        const Elements xhat = Elements::normal(dtype, kRows * channels, "xhat");
        const Elements factors = vector_of("factors", channels);
        Elements found = unset(dtype, grad.count()), wanted = unset(DType::kF64, grad.count());
        BatchNormBackward args{kRows, channels, in(grad), in(xhat), in(factors), out(found)};
        std::vector<float> scratch = scratch_for(kRows, channels);
        batch_norm_backward(args, scratch);
        args.grad_x = out(wanted);
        batch_norm_backward_reference<double>(args);
        expect_close("grad_x", found, wanted, 64, 4.0);
      }
    }
  });
}

TEST(BatchNorm, IsTheSameEverywhere) {
  constexpr int64_t kWide = 101;
  const Elements x = Elements::normal(DType::kF32, kRows * kWide, "x");
  const Elements grad = Elements::normal(DType::kF32, kRows * kWide, "grad");
  expect_same_bits_everywhere([&] {
    Elements mean = unset(DType::kF32, kWide), variance = mean, grad_x = x;
    std::vector<float> scratch = scratch_for(kRows, kWide);
    batch_moments({kRows, kWide, in(x), out(mean), out(variance)}, scratch);
    batch_norm_backward({kRows, kWide, in(grad), in(x), in(variance), out(grad_x)}, scratch);
    return grad_x;
  });
}

}  // namespace
}  // namespace inlay::kernels
