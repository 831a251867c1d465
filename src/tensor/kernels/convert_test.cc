#include "tensor/kernels/convert.h"

#include <bit>
#include <limits>

#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

std::vector<BFloat16> to_bf16(const std::vector<float>& src) {
  std::vector<BFloat16> dst(src.size());
  convert(reinterpret_cast<const std::byte*>(src.data()), DType::kF32,
          reinterpret_cast<std::byte*>(dst.data()), DType::kBF16, static_cast<int64_t>(src.size()));
  return dst;
}

TEST(Convert, EveryBf16SurvivesTheWayThroughF32) {
  std::vector<BFloat16> all(1 << 16), back(1 << 16);
  for (uint32_t bits = 0; bits < all.size(); ++bits) all[bits].bits = static_cast<uint16_t>(bits);
  std::vector<float> wide(all.size());
  on_every_target([&] {
    convert(reinterpret_cast<const std::byte*>(all.data()), DType::kBF16,
            reinterpret_cast<std::byte*>(wide.data()), DType::kF32, 1 << 16);
    back = to_bf16(wide);
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), static_cast<uint32_t>(all[i].bits) << 16);
      if (std::isnan(wide[i])) continue;
      ASSERT_EQ(back[i].bits, all[i].bits);
    }
  });
}

TEST(Convert, RoundsToNearestEvenAsTheScalarTypeDoes) {
  std::vector<float> x;
  for (uint32_t upper : {0x0000u, 0x3f80u, 0x3f81u, 0x4049u, 0x7f7fu, 0x8001u, 0xff7fu}) {
    for (uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      x.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  x.push_back(std::numeric_limits<float>::infinity());
  on_every_target([&] {
    const std::vector<BFloat16> y = to_bf16(x);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i].bits, BFloat16(x[i]).bits) << x[i];
  });
}

TEST(Convert, KeepsNan) {
  // A NaN whose payload is in the half that is cut off, and one that rounding would carry into
  // infinity or the sign.
  const std::vector<float> x = {std::bit_cast<float>(0x7f800001u),
                                std::bit_cast<float>(0x7fffffffu),
                                std::bit_cast<float>(0xffffffffu)};
  on_every_target([&] {
    for (BFloat16 y : to_bf16(x)) EXPECT_TRUE(std::isnan(static_cast<float>(y)));
  });
}

TEST(Convert, TakesRowsOutOfAWiderMatrix) {
  std::vector<float> matrix(5 * 70);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i);
  const std::vector<BFloat16> narrow = to_bf16(matrix);
  for (int64_t columns : {0, 1, 17, 70}) {
    on_every_target([&] {
      std::vector<float> part(static_cast<std::size_t>(3 * columns), -1.0f);
      convert_rows({.data = reinterpret_cast<const std::byte*>(narrow.data() + 70),
                    .dtype = DType::kBF16,
                    .rows = 3,
                    .columns = columns,
                    .stride = 70},
                   reinterpret_cast<std::byte*>(part.data()), DType::kF32);
      for (std::size_t i = 0; i < part.size(); ++i) {
        const std::size_t row = i / static_cast<std::size_t>(columns);
        const std::size_t from = 70 * (row + 1) + i % static_cast<std::size_t>(columns);
        ASSERT_EQ(part[i], static_cast<float>(narrow[from])) << columns << " columns";
      }
    });
  }
}

TEST(Convert, TakesEveryPairAndSize) {
  constexpr DType kTypes[] = {DType::kF16, DType::kBF16, DType::kF32, DType::kF64};
  for (int64_t count : kWidths) {
    for (DType from : kTypes) {
      for (DType to : kTypes) {
        std::vector<double> values;  // exact in every type
        for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i % 17) - 8.5);
        const Elements x(from, values);
        Elements y = unset(to, count);
        convert(x.data(), from, y.data(), to, count);
        EXPECT_EQ(y.values(), values) << dtype_name(from) << " to " << dtype_name(to);
      }
    }
  }
}

TEST(Convert, F64KeepsItsPrecisionIntoF64) {
  const std::vector<double> x = {0.1};
  std::vector<double> y(1);
  convert(reinterpret_cast<const std::byte*>(x.data()), DType::kF64,
          reinterpret_cast<std::byte*>(y.data()), DType::kF64, 1);
  EXPECT_EQ(y, x);
}

TEST(Convert, GivesTheSameBitsEverywhere) {
  const Elements x = Elements::normal(DType::kF32, 100003, "x");
  expect_same_bits_everywhere([&] {
    Elements y = unset(DType::kBF16, x.count());
    convert(x.data(), DType::kF32, y.data(), DType::kBF16, x.count());
    return y;
  });
}

}  // namespace
}  // namespace inlay::kernels
