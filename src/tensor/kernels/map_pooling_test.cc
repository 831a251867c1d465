#include "tensor/kernels/map_pooling.h"

#include <limits>

#include "tensor/kernels/map_pooling_reference.h"
#include "tensor/kernels/patch_geometry_test.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kMaps = 3;
constexpr PoolDivisor kDivisors[] = {PoolDivisor::kWindow, PoolDivisor::kPlaces};

bool sees_a_place_everywhere(const PatchGeometry& geometry) {
  for (int64_t place = 0; place < geometry.outputs(); ++place) {
    if (places_seen(geometry, place).empty()) return false;
  }
  return true;
}

// check(args, type) over windows, channels and types.
template <class Check>
void for_all_cases(const Check& check) {
  on_every_target([&] {
    for (const PatchGeometry& geometry : kGeometries) {
      if (!sees_a_place_everywhere(geometry)) continue;
      for (int64_t channels : {1, 16, 37}) {
        for (DType dtype : kFastTypes) check(PooledMaps{geometry, kMaps, channels}, dtype);
      }
    }
  });
}

int64_t inputs(const PooledMaps& args) {
  return args.maps * args.geometry.inputs() * args.channels;
}
int64_t outputs(const PooledMaps& args) {
  return args.maps * args.geometry.outputs() * args.channels;
}

TEST(MapPooling, TheLargestMatchesTheReference) {
  for_all_cases([](const PooledMaps& args, DType dtype) {
    const Elements x = Elements::normal(dtype, inputs(args), "x");
    const Elements grad = Elements::normal(dtype, outputs(args), "grad");
    const auto count = static_cast<std::size_t>(outputs(args));
    std::vector<int32_t> winners(count, -1), wanted_winners(count, -1);
    Elements y = unset(dtype, outputs(args)), wanted_y = y;
    max_pool_forward(args, in(x), out(y), winners.data());
    max_pool_forward_reference<double>(args, in(x), out(wanted_y), wanted_winners.data());
    EXPECT_TRUE(y == wanted_y);
    EXPECT_EQ(winners, wanted_winners);

    Elements grad_x = unset(dtype, inputs(args)), wanted = unset(DType::kF64, inputs(args));
    max_pool_backward(args, in(grad), winners.data(), out(grad_x));
    max_pool_backward_reference<double>(args, in(grad), winners.data(), out(wanted));
    expect_close("grad_x", grad_x, wanted, args.geometry.taps());
  });
}

TEST(MapPooling, TheMeanMatchesTheReference) {
  for_all_cases([](const PooledMaps& args, DType dtype) {
    const Elements x = Elements::normal(dtype, inputs(args), "x");
    const Elements grad = Elements::normal(dtype, outputs(args), "grad");
    for (PoolDivisor divisor : kDivisors) {
      Elements y = unset(dtype, outputs(args)), wanted_y = unset(DType::kF64, outputs(args));
      average_pool_forward(args, divisor, in(x), out(y));
      average_pool_forward_reference<double>(args, divisor, in(x), out(wanted_y));
      expect_close("y", y, wanted_y, args.geometry.taps(), 1.0);

      Elements grad_x = unset(dtype, inputs(args)), wanted = unset(DType::kF64, inputs(args));
      average_pool_backward(args, divisor, in(grad), out(grad_x));
      average_pool_backward_reference<double>(args, divisor, in(grad), out(wanted));
      expect_close("grad_x", grad_x, wanted, args.geometry.taps(), 1.0);
    }
  });
}

// 2 x 2 windows one place apart over a line, which they see with the zeros below it.
constexpr PooledMaps kLine{{1, 3, 1, 2, 2, 2, 1, 1, 1, 1, 0, 0}, 1, 1};

TEST(MapPooling, OfEqualNumbersTheFirstWinsAndTakesTheGradient) {
  const std::vector<float> x = {4, 4, 1}, grad = {10, 20};
  std::vector<float> y(2), grad_x(3);
  std::vector<int32_t> winners(2);
  max_pool_forward(kLine, x.data(), y.data(), winners.data());
  EXPECT_EQ(y, (std::vector<float>{4, 4}));
  EXPECT_EQ(winners, (std::vector<int32_t>{0, 1}));
  max_pool_backward(kLine, grad.data(), winners.data(), grad_x.data());
  EXPECT_EQ(grad_x, (std::vector<float>{10, 20, 0}));
}

TEST(MapPooling, ZerosAroundTheMapNeverWin) {
  const std::vector<float> x = {-4, -3, -5};
  std::vector<float> y(2);
  max_pool_forward(kLine, x.data(), y.data(), nullptr);
  EXPECT_EQ(y, (std::vector<float>{-3, -3}));
}

TEST(MapPooling, ANanIsTheLargest) {
  const std::vector<float> x = {1, std::numeric_limits<float>::quiet_NaN(), 2};
  std::vector<float> y(2);
  std::vector<int32_t> winners(2);
  max_pool_forward(kLine, x.data(), y.data(), winners.data());
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(winners, (std::vector<int32_t>{1, 1}));
}

TEST(MapPooling, TheMeanCountsTheZerosOrNot) {
  const std::vector<float> x = {2, 6, 4}, grad = {8, 16};
  std::vector<float> y(2), grad_x(3);
  average_pool_forward(kLine, PoolDivisor::kWindow, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{2, 2.5f}));
  average_pool_forward(kLine, PoolDivisor::kPlaces, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{4, 5}));
  average_pool_backward(kLine, PoolDivisor::kPlaces, grad.data(), grad_x.data());
  EXPECT_EQ(grad_x, (std::vector<float>{4, 12, 8}));
}

TEST(MapPooling, IsTheSameEverywhere) {
  const PooledMaps args{{40, 30, 20, 15, 3, 3, 2, 2, 1, 1, 1, 1}, kMaps, 35};
  const Elements x = Elements::normal(DType::kF32, inputs(args), "x");
  expect_same_bits_everywhere([&] {
    std::vector<int32_t> winners(static_cast<std::size_t>(outputs(args)));
    Elements y = unset(DType::kF32, outputs(args)), grad_x = unset(DType::kF32, inputs(args));
    Elements sum = unset(DType::kF32, inputs(args));
    max_pool_forward(args, in(x), out(y), winners.data());
    max_pool_backward(args, in(y), winners.data(), out(grad_x));
    average_pool_forward(args, PoolDivisor::kPlaces, in(grad_x), out(y));
    average_pool_backward(args, PoolDivisor::kPlaces, in(y), out(sum));
    return sum;
  });
}

}  // namespace
}  // namespace inlay::kernels
