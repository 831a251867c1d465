#include "tensor/kernels/activation.h"

#include "tensor/kernels/activation_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr Activation kAll[] = {Activation::kGelu,    Activation::kGeluTanh, Activation::kQuickGelu,
                               Activation::kRelu,    Activation::kRelu6,    Activation::kTanh,
                               Activation::kSigmoid, Activation::kSilu,     Activation::kIdentity};

TEST(Activation, NamesGoBothWays) {
  for (Activation kind : kAll) EXPECT_EQ(activation_from_name(activation_name(kind)), kind);
  EXPECT_EQ(activation_from_name("gelu_pytorch_tanh"), Activation::kGeluTanh);
  EXPECT_EQ(activation_from_name("swish"), Activation::kSilu);
  EXPECT_EQ(activation_from_name("mish"), std::nullopt);
  EXPECT_NE(activation_names().find("quick_gelu, relu, relu6"), std::string::npos);
}

TEST(Activation, ForwardMatchesTheReference) {
  on_every_target([] {
    for (Activation kind : kAll) {
      for (int64_t count : kWidths) {
        for (DType src : kFastTypes) {
          for (DType dst : kFastTypes) {
            const Elements x = Elements::normal(src, count, "x", 3.0);
            Elements y = unset(dst, count), wanted = unset(DType::kF64, count);
            activation_forward(kind, in(x), out(y), count);
            activation_forward_reference<double>(kind, in(x), out(wanted), count);
            expect_close(activation_name(kind), y, wanted, 1);
          }
        }
      }
    }
  });
}

TEST(Activation, BackwardMatchesTheReference) {
  on_every_target([] {
    for (Activation kind : kAll) {
      for (DType type : kFastTypes) {
        for (DType grad_type : kFastTypes) {
          constexpr int64_t kCount = 777;
          const Elements x = Elements::normal(type, kCount, "x", 3.0);
          const Elements grad_y = Elements::normal(grad_type, kCount, "grad_y");
          Elements grad_x = unset(grad_type, kCount), wanted = unset(DType::kF64, kCount);
          activation_backward(kind, in(x), in(grad_y), out(grad_x), kCount);
          activation_backward_reference<double>(kind, in(x), in(grad_y), out(wanted), kCount);
          expect_close(activation_name(kind), grad_x, wanted, 1);
        }
      }
    }
  });
}

TEST(Activation, SlopesAreTheDerivativesOfTheValues) {
  for (Activation kind : kAll) {
    for (double x : {-4.0, -1.3, -0.2, 0.4, 1.0, 2.7, 6.5}) {
      const double difference = activation_value(kind, x + 1e-6) - activation_value(kind, x - 1e-6);
      EXPECT_NEAR(activation_slope(kind, x), difference / 2e-6, 1e-8)
          << activation_name(kind) << " at " << x;
    }
  }
}

TEST(Activation, Relu6IsFlatFromSixOnAndUpToZero) {
  const std::vector<float> x = {-1.0f, 0.0f, 0.5f, 5.75f, 6.0f, 7.0f}, ones(6, 1.0f);
  std::vector<float> y(6), slope(6);
  activation_forward(Activation::kRelu6, x.data(), y.data(), 6);
  activation_backward(Activation::kRelu6, x.data(), ones.data(), slope.data(), 6);
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0.5f, 5.75f, 6, 6}));
  EXPECT_EQ(slope, (std::vector<float>{0, 0, 1, 1, 0, 0}));
}

// Where Phi(x) is near 0, 1 + erf(x / sqrt(2)) would have lost everything.
TEST(Activation, GeluKeepsItsPrecisionInTheTail) {
  const std::vector<float> x = {-3.0f, -5.0f, -7.0f, -9.0f};
  std::vector<float> y(x.size());
  activation_forward(Activation::kGelu, x.data(), y.data(), 4);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = activation_value(Activation::kGelu, static_cast<double>(x[i]));
    EXPECT_NEAR(y[i] / wanted, 1.0, 1e-5) << x[i];
  }
}

TEST(Activation, GivesTheSameBitsEverywhereAndInPlace) {
  const Elements x = Elements::normal(DType::kF32, 100001, "x", 3.0);
  for (Activation kind : kAll) {
    expect_same_bits_everywhere([&] {
      Elements y = x;
      activation_forward(kind, in(y), out(y), y.count());
      return y;
    });
    expect_same_bits_everywhere([&] {
      Elements grad = x;
      activation_backward(kind, in(x), in(grad), out(grad), grad.count());
      return grad;
    });
  }
}

}  // namespace
}  // namespace inlay::kernels
