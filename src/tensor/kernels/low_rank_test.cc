#include "tensor/kernels/low_rank.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <string>
#include <vector>

#include "tensor/kernels/kernel_test.h"
#include "tensor/kernels/low_rank_reference.h"

namespace inlay::kernels {
namespace {

// One product's operands: x (rows, channels) with a stride, a factor of rank r, u (rows, r).
struct Product {
  int64_t rows = 5;
  int64_t channels = 64;
  int64_t rank = 8;
  DType dtype = DType::kF32;
  FactorLayout layout = FactorLayout::kRankByChannel;
  int64_t gap = 0;  // elements between rows
  float scale = 0.75f;

  int64_t stride() const { return channels + gap; }
  // f64 twins hold the same values, and what is computed from them is the expected result.
  DType statistic() const { return dtype == DType::kF64 ? DType::kF64 : DType::kF32; }
  Elements x() const { return Elements::normal(source(), rows * stride(), "x").as(dtype); }
  Elements factor() const {
    return Elements::normal(DType::kF32, rank * channels, "w").as(statistic());
  }
  Elements u() const { return Elements::normal(DType::kF32, rows * rank, "u").as(statistic()); }
  DType source() const { return rounded ? DType::kBF16 : DType::kF32; }
  bool rounded = dtype == DType::kBF16;

  Product in_double() const {
    Product twin = *this;
    twin.dtype = DType::kF64;
    return twin;
  }

  Elements project() const {
    Elements out = Elements::constant(statistic(), rows * rank, 7), in = x(), weights = factor();
    std::vector<std::byte> scratch(low_rank_scratch_bytes(channels, rank));
    low_rank_project({.rows = rows,
                      .channels = channels,
                      .rank = rank,
                      .scale = scale,
                      .dtype = dtype,
                      .layout = layout,
                      .x = in.data(),
                      .x_stride = stride(),
                      .factor = weights.data(),
                      .u = out.data()},
                     scratch);
    return out;
  }
  Elements expand_add() const {
    Elements y = x(), in = u(), weights = factor();
    std::vector<std::byte> scratch(low_rank_scratch_bytes(channels, rank));
    low_rank_expand_add({.rows = rows,
                         .channels = channels,
                         .rank = rank,
                         .scale = scale,
                         .dtype = dtype,
                         .layout = layout,
                         .u = in.data(),
                         .factor = weights.data(),
                         .y = y.data(),
                         .y_stride = stride()},
                        scratch);
    return y;
  }
  Elements weight_grad() const {
    Elements out = Elements::constant(statistic(), rank * channels, 7), in = x(), left = u();
    low_rank_weight_grad({.rows = rows,
                          .channels = channels,
                          .rank = rank,
                          .scale = scale,
                          .dtype = dtype,
                          .layout = layout,
                          .x = in.data(),
                          .x_stride = stride(),
                          .u = left.data(),
                          .factor_grad = out.data()});
    return out;
  }
};

void check_on_every_target(const Product& product) {
  SCOPED_TRACE(testing::Message() << product.rows << " rows, " << product.channels
                                  << " channels, rank " << product.rank << ", layout "
                                  << static_cast<int>(product.layout));
  const Product twin = product.in_double();
  const Elements u = twin.project(), y = twin.expand_add(), grad = twin.weight_grad();
  on_every_target([&] {
    expect_close("project", product.project(), u, product.channels);
    expect_close("expand_add", product.expand_add(), y, product.rank);
    expect_close("weight_grad", product.weight_grad(), grad, product.rows);
  });
}

using Param = std::tuple<DType, FactorLayout>;
class LowRankOf : public testing::TestWithParam<Param> {
 protected:
  Product product() const {
    return {.dtype = std::get<0>(GetParam()), .layout = std::get<1>(GetParam())};
  }
};

TEST_P(LowRankOf, MatchesTheReferenceForEveryRank) {
  for (int64_t rank = 1; rank <= 64; rank += rank < 18 ? 1 : 7) {
    Product each = product();
    each.rank = rank, each.channels = 100;
    check_on_every_target(each);
  }
}

TEST_P(LowRankOf, MatchesTheReferenceForEveryNumberOfChannels) {
  for (int64_t channels : {1, 3, 15, 16, 17, 31, 32, 33, 47, 64, 80, 127, 384, 768, 4096}) {
    Product each = product();
    each.channels = channels;
    check_on_every_target(each);
  }
}

TEST_P(LowRankOf, MatchesTheReferenceForEveryNumberOfRows) {
  for (int64_t rows : {1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 65, 300}) {
    Product each = product();
    each.rows = rows, each.channels = 40;
    check_on_every_target(each);
  }
}

TEST_P(LowRankOf, LeavesTheGapsBetweenRowsAlone) {
  Product wide = product();
  wide.gap = 13;
  check_on_every_target(wide);
  const Elements before = wide.x(), after = wide.expand_add();
  for (int64_t t = 0; t < wide.rows; ++t) {
    for (int64_t c = wide.channels; c < wide.stride(); ++c) {
      EXPECT_EQ(after.values()[t * wide.stride() + c], before.values()[t * wide.stride() + c]);
    }
  }
}

TEST_P(LowRankOf, GivesARowTheSameBitsInAnyBatch) {
  Product many = product(), few = product();
  many.rows = 41, few.rows = 6;
  many.channels = few.channels = 90;
  on_every_target([&] {
    const std::vector<double> u = many.project().values(), y = many.expand_add().values();
    const std::vector<double> first_u = few.project().values(), first_y = few.expand_add().values();
    EXPECT_TRUE(std::equal(first_u.begin(), first_u.end(), u.begin()));
    EXPECT_TRUE(std::equal(first_y.begin(), first_y.end(), y.begin()));
  });
}

TEST_P(LowRankOf, HasTheSameBitsOnAnyNumberOfThreads) {
  Product each = product();
  each.rows = 200;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Elements u = each.project(), y = each.expand_add();
  omp_set_num_threads(3);
  EXPECT_TRUE(each.project() == u && each.expand_add() == y);
  omp_set_num_threads(threads);
}

TEST_P(LowRankOf, TakesNoRows) {
  Product none = product();
  none.rows = 0;
  EXPECT_EQ(none.project().count(), 0);
  EXPECT_EQ(none.expand_add().count(), 0);
  for (double value : none.weight_grad().values()) EXPECT_EQ(value, 0.0);
}

std::string param_name(const testing::TestParamInfo<Param>& info) {
  const bool by_rank = std::get<1>(info.param) == FactorLayout::kRankByChannel;
  return std::string(dtype_name(std::get<0>(info.param))) +
         (by_rank ? "RankByChannel" : "ChannelByRank");
}
INSTANTIATE_TEST_SUITE_P(Elements, LowRankOf,
                         testing::Combine(testing::Values(DType::kF32, DType::kBF16),
                                          testing::Values(FactorLayout::kRankByChannel,
                                                          FactorLayout::kChannelByRank)),
                         param_name);

TEST(LowRank, ExpandAddsWithoutRoundingBF16Twice) {
  // 1 + 2^-8 + 2^-8 is 1.0078125 when rounded once; rounding after each rank would stay at 1.
  const Elements u(DType::kF32, {1, 1}), w(DType::kF32, {0x1p-8, 0x1p-8});
  Elements y(DType::kBF16, {1.0});
  std::vector<std::byte> scratch(low_rank_scratch_bytes(1, 2));
  low_rank_expand_add({.rows = 1,
                       .channels = 1,
                       .rank = 2,
                       .dtype = DType::kBF16,
                       .u = u.data(),
                       .factor = w.data(),
                       .y = y.data(),
                       .y_stride = 1},
                      scratch);
  EXPECT_EQ(y.values()[0], 1.0078125);
}

TEST(LowRank, RoundsBF16ToNearestEvenAndKeepsNaN) {
  // u w is what y becomes; ties go to the even neighbour.
  const Elements w(DType::kF32, std::vector<double>(20, 1.0));
  for (auto [value, rounded] : {std::pair{1.00390625, 1.0},
                                {1.01171875, 1.015625},
                                {-1.00390625, -1.0},
                                {3.4e38, INFINITY}}) {
    const Elements u(DType::kF32, {value});
    on_every_target([&, value = value, rounded = rounded] {
      Elements y = Elements::constant(DType::kBF16, 20, 0);
      std::vector<std::byte> scratch(low_rank_scratch_bytes(20, 1));
      low_rank_expand_add({.rows = 1,
                           .channels = 20,
                           .rank = 1,
                           .dtype = DType::kBF16,
                           .u = u.data(),
                           .factor = w.data(),
                           .y = y.data(),
                           .y_stride = 20},
                          scratch);
      for (double each : y.values()) EXPECT_EQ(each, rounded) << value;
    });
  }
  const Elements u(DType::kF32, {std::nan("")});
  Elements y = Elements::constant(DType::kBF16, 20, 0);
  std::vector<std::byte> scratch(low_rank_scratch_bytes(20, 1));
  low_rank_expand_add({.rows = 1,
                       .channels = 20,
                       .rank = 1,
                       .dtype = DType::kBF16,
                       .u = u.data(),
                       .factor = w.data(),
                       .y = y.data(),
                       .y_stride = 20},
                      scratch);
  for (double each : y.values()) EXPECT_TRUE(std::isnan(each));
}

}  // namespace
}  // namespace inlay::kernels
