#include "nn/initializers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace inlay {
namespace {

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const Tensor& tensor) {
  Moments found;
  auto count = static_cast<double>(tensor.count());
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double value = tensor.data<float>()[i];
    found.mean += value / count;
    found.deviation += value * value / count;
    found.largest = std::max(found.largest, std::fabs(value));
  }
  found.deviation = std::sqrt(found.deviation - found.mean * found.mean);
  return found;
}

TEST(ConstantInit, FillsTheTensor) {
  Tensor tensor = constant_init({2, 3}, 0.25f);
  EXPECT_EQ(std::count(tensor.data<float>(), tensor.data<float>() + 6, 0.25f), 6);
}

TEST(NormalInit, HasTheAskedDeviation) {
  Moments found = moments(normal_init({200, 100}, 0.5f, Stream(1, "test")));
  EXPECT_NEAR(found.mean, 0.0, 0.5 * 5 / std::sqrt(20000.0));
  EXPECT_NEAR(found.deviation, 0.5, 0.5 * 5 / std::sqrt(2 * 20000.0));
}

TEST(KaimingUniformInit, FillsTheRangeThatTheNumberOfInputsGives) {
  Moments found = moments(kaiming_uniform_init({100, 400}, Stream(1, "test")));
  EXPECT_LE(found.largest, 0.05);
  EXPECT_GT(found.largest, 0.0499);
  EXPECT_NEAR(found.deviation, 0.05 / std::sqrt(3.0), 0.0005);
}

TEST(Initializers, DependOnTheNameOfTheStream) {
  Tensor a = normal_init({8}, 1.0f, Stream(1, "a")), b = normal_init({8}, 1.0f, Stream(1, "b"));
  EXPECT_FALSE(std::equal(a.data<float>(), a.data<float>() + 8, b.data<float>()));
}

}  // namespace
}  // namespace inlay
