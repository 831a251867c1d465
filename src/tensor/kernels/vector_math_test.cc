#include <cmath>
#include <limits>
#include <vector>

#include "tensor/kernels/kernel_test.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/vector_math_test.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

template <class Function>
void apply(const float* src, float* dst, std::size_t count, const Function& function) {
  const hn::CappedTag<float, 16> d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(function(d, hn::LoadU(d, src + i)), d, dst + i);
  }
}

// REQUIRES: count is a multiple of 16.
void evaluate(char name, const float* src, float* dst, std::size_t count) {
  switch (name) {
    case 'e':
      return apply(src, dst, count, [](auto d, auto x) HWY_ATTR { return exp_f32(d, x); });
    case 'l':
      return apply(src, dst, count, [](auto d, auto x) HWY_ATTR { return log_f32(d, x); });
    case 'p':
      return apply(src, dst, count, [](auto d, auto x) HWY_ATTR { return log1p_f32(d, x); });
    case 't':
      return apply(src, dst, count, [](auto d, auto x) HWY_ATTR { return tanh_f32(d, x); });
    case 's':
      return apply(src, dst, count, [](auto d, auto x) HWY_ATTR { return sigmoid_f32(d, x); });
    default:
      return apply(src, dst, count, [](auto d, auto t) HWY_ATTR {
        return normal_tail_f32(d, t, exp_f32(d, hn::Mul(hn::Mul(t, t), hn::Set(d, -0.5f))));
      });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(evaluate);

std::vector<float> values_of(char name, std::vector<float> x) {
  const std::size_t count = x.size();
  x.resize((count + 15) / 16 * 16, 1.0f);
  std::vector<float> y(x.size());
  HWY_DYNAMIC_DISPATCH(evaluate)(name, x.data(), y.data(), x.size());
  y.resize(count);
  return y;
}

// Evenly spaced numbers, and numbers close to zero on a logarithmic scale where 0 lies in the
// range.
std::vector<float> sweep(double low, double high) {
  std::vector<float> x;
  for (int i = 0; i <= 200000; ++i)
    x.push_back(static_cast<float>(low + (high - low) * i / 200000));
  for (int i = 0; i <= 20000; ++i) {
    const auto small = static_cast<float>(std::exp(-40.0 + 40.0 * i / 20000));
    if (small <= high && low <= 0) x.push_back(small);
    if (-small >= low && high >= 0) x.push_back(-small);
  }
  return x;
}

double ulp_of(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::max(exponent, -125) - 24);
}

// The largest error in units in the last place of the exact value is at most `bound`.
template <class Exact>
void expect_ulps(char name, double low, double high, double bound, const Exact& exact) {
  on_every_target([&] {
    const std::vector<float> x = sweep(low, high), y = values_of(name, x);
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = exact(static_cast<double>(x[i]));
      const double error = std::fabs(y[i] - wanted) / ulp_of(wanted);
      if (!(error <= worst)) worst = error, at = i;
    }
    EXPECT_LE(worst, bound) << "f(" << x[at] << ") is " << y[at] << ", expected " << exact(x[at]);
    ::testing::Test::RecordProperty(std::string("ulps_") + name, std::to_string(worst));
  });
}

TEST(VectorMath, ExpIsWithinItsBound) {
  expect_ulps('e', -87.3, 88.37, 1.3, [](double x) { return std::exp(x); });
}

TEST(VectorMath, LogIsWithinItsBound) {
  expect_ulps('l', 1e-6, 4.0, 1.0, [](double x) { return std::log(x); });
  expect_ulps('l', 4.0, 1e30, 1.0, [](double x) { return std::log(x); });
}

TEST(VectorMath, Log1pIsWithinItsBound) {
  expect_ulps('p', 1e-30, 1.0, 3.0, [](double z) { return std::log1p(z); });
}

TEST(VectorMath, TanhIsWithinItsBound) {
  expect_ulps('t', -20.0, 20.0, 7.0, [](double x) { return std::tanh(x); });
}

TEST(VectorMath, SigmoidIsWithinItsBound) {
  expect_ulps('s', -87.0, 30.0, 3.0, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
}

TEST(VectorMath, NormalTailIsWithinItsBound) {
  // Rounding t^2 / 2 costs as many units as its size, so the bound is for the part where it is
  // small.
  expect_ulps('n', 0.0, 2.0, 6.0, [](double t) { return 0.5 * std::erfc(t * M_SQRT1_2); });
}

TEST(VectorMath, EndsOfTheRangeAndNan) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  on_every_target([&] {
    EXPECT_EQ(values_of('e', {-kInfinity, -88.0f, 0.0f, 89.0f, kInfinity}),
              (std::vector<float>{0.0f, 0.0f, 1.0f, kInfinity, kInfinity}));
    EXPECT_EQ(values_of('l', {1.0f, kInfinity}), (std::vector<float>{0.0f, kInfinity}));
    EXPECT_EQ(values_of('t', {-kInfinity, -50.0f, 0.0f, kInfinity}),
              (std::vector<float>{-1.0f, -1.0f, 0.0f, 1.0f}));
    EXPECT_EQ(values_of('s', {-kInfinity, 0.0f, kInfinity}),
              (std::vector<float>{0.0f, 0.5f, 1.0f}));
    EXPECT_EQ(values_of('n', {kInfinity}), (std::vector<float>{0.0f}));
    for (char name : {'e', 'l', 'p', 't', 's', 'n'})
      EXPECT_TRUE(std::isnan(values_of(name, {nan})[0])) << name;
  });
}

}  // namespace
}  // namespace inlay::kernels
#endif
