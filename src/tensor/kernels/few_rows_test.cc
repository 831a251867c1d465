#include "tensor/kernels/few_rows.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels/kernel_test.h"

namespace inlay::kernels {
namespace {

struct Sizes {
  int64_t rows, in, out;
};

std::vector<float> product(const Sizes& sizes, bool in_by_out, const Elements& x,
                           const Elements& weight, const Elements& bias) {
  std::vector<float> y(static_cast<std::size_t>(sizes.rows * sizes.out), NAN);
  few_rows({.rows = sizes.rows,
            .in = sizes.in,
            .out = sizes.out,
            .in_by_out = in_by_out,
            .x = reinterpret_cast<const float*>(x.data()),
            .weight = {weight.data(), weight.dtype()},
            .bias = reinterpret_cast<const float*>(bias.data()),
            .y = y.data()});
  return y;
}

void expect_product(const Sizes& sizes, bool in_by_out, DType dtype) {
  SCOPED_TRACE(fmt::format("{} x {} x {} {}", sizes.rows, sizes.in, sizes.out, in_by_out));
  Elements x = Elements::normal(DType::kF32, sizes.rows * sizes.in, "x");
  Elements weight = Elements::normal(dtype, sizes.in * sizes.out, "w");
  Elements bias = Elements::normal(DType::kF32, sizes.out, "b");
  std::vector<float> y = product(sizes, in_by_out, x, weight, bias);
  const std::vector<double> rows = x.values(), weights = weight.values(), biases = bias.values();
  auto at = [](const std::vector<double>& values, int64_t i) {
    return values[static_cast<std::size_t>(i)];
  };
  for (int64_t r = 0; r < sizes.rows; ++r) {
    for (int64_t o = 0; o < sizes.out; ++o) {
      double sum = at(biases, o), size = std::fabs(sum);
      for (int64_t i = 0; i < sizes.in; ++i) {
        double term = at(rows, r * sizes.in + i) *
                      at(weights, in_by_out ? i * sizes.out + o : o * sizes.in + i);
        sum += term;
        size += std::fabs(term);
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(r * sizes.out + o)], sum, 1e-6 * size);
    }
  }
}

TEST(FewRows, MultipliesByWeightsOfEitherOrder) {
  for (bool in_by_out : {false, true}) {
    for (DType dtype : {DType::kF32, DType::kBF16}) {
      on_every_target([&] {
        for (const Sizes& sizes : {Sizes{1, 1, 1}, Sizes{1, 7, 5}, Sizes{3, 16, 33},
                                   Sizes{4, 64, 130}, Sizes{9, 100, 65}, Sizes{1, 577, 300}})
          expect_product(sizes, in_by_out, dtype);
      });
    }
  }
}

TEST(FewRows, GivesARowTheSameBitsAloneAndOnAnyNumberOfThreads) {
  const Sizes all{6, 300, 500}, one{1, 300, 500};
  for (bool in_by_out : {false, true}) {
    Elements x = Elements::normal(DType::kF32, all.rows * all.in, "x");
    Elements weight = Elements::normal(DType::kBF16, all.in * all.out, "w");
    Elements bias = Elements::normal(DType::kF32, all.out, "b");
    std::vector<float> together = product(all, in_by_out, x, weight, bias);
    std::vector<float> alone = product(one, in_by_out, x, weight, bias);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin()));
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    EXPECT_EQ(product(all, in_by_out, x, weight, bias), together);
    omp_set_num_threads(threads);
  }
}

}  // namespace
}  // namespace inlay::kernels
