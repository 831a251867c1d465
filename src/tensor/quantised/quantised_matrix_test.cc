#include "tensor/quantised/quantised_matrix.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "base/random.h"
#include "tensor/kernels/operand_test.h"
#include "tensor/quantised/nf4.h"

namespace inlay {
namespace {

using kernels::Elements;

Tensor normal_weight(int64_t rows, int64_t columns, double deviation = 0.03) {
  const Elements values = Elements::normal(DType::kF32, rows * columns, "weight", deviation);
  Tensor weight = Tensor::empty({rows, columns}, DType::kF32);
  std::copy_n(values.data(), weight.byte_count(), weight.mutable_raw());
  return weight;
}

// Random bytes where a format comes from files, infinite scales and those that are no number among
// them.
QuantisedMatrix random_matrix(BlockFormat format, int64_t rows, int64_t columns) {
  if (format == BlockFormat::kInt8Rows || format == BlockFormat::kNf4) {
    return QuantisedMatrix::quantise(normal_weight(rows, columns), format);
  }
  const std::size_t count = block_format_info(format).byte_count({rows, columns});
  auto bytes = std::make_shared<std::vector<std::byte>>(count);
  Stream stream(3, "blocks");
  for (std::size_t i = 0; i < count; ++i) {
    (*bytes)[i] = static_cast<std::byte>(static_cast<uint8_t>(stream.uniform(i) * 256.0));
  }
  return QuantisedMatrix::borrow(format, {rows, columns}, *bytes, bytes);
}

std::vector<float> reference(const QuantisedMatrix& matrix, int64_t first, int64_t last) {
  std::vector<float> values(static_cast<std::size_t>((last - first) * matrix.columns()));
  block_format_info(matrix.format())
      .dequantise({matrix.bytes().data(), {matrix.rows(), matrix.columns()}, first, last},
                  values.data());
  return values;
}

template <class T>
bool quantised_matrix_same_bits(const std::vector<T>& found, const std::vector<float>& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const T value(wanted[i]);
    if (std::memcmp(&found[i], &value, sizeof(T)) != 0) return false;
  }
  return found.size() == wanted.size();
}

TEST(QuantisedMatrix, FastRowsAreTheReferenceBitForBit) {
  kernels::on_every_target([] {
    for (const BlockFormatInfo& info : block_formats()) {
      for (int64_t blocks : {0, 1, 3, 5, 33}) {
        const int64_t columns = blocks * info.block_length;
        const QuantisedMatrix matrix = random_matrix(info.format, 7, columns);
        for (auto [first, last] : {std::pair(0, 7), std::pair(2, 5), std::pair(6, 6)}) {
          const std::vector<float> wanted = reference(matrix, first, last);
          std::vector<float> wide(wanted.size());
          std::vector<BFloat16> narrow(wanted.size());
          matrix.dequantise_rows(first, last, wide.data());
          matrix.dequantise_rows(first, last, narrow.data());
          EXPECT_TRUE(quantised_matrix_same_bits(wide, wanted)) << info.name << " " << columns;
          EXPECT_TRUE(quantised_matrix_same_bits(narrow, wanted)) << info.name << " " << columns;
        }
      }
    }
  });
}

// Columns that begin and end within blocks, at their edges, and in one and the same block.
TEST(QuantisedMatrix, SomeColumnsAreThoseOfTheWholeRows) {
  kernels::on_every_target([] {
    for (const BlockFormatInfo& info : block_formats()) {
      const QuantisedMatrix matrix = random_matrix(info.format, 7, 768);
      const std::vector<float> whole = reference(matrix, 2, 6);
      for (auto [first, last] : {std::pair(0, 768), std::pair(128, 256), std::pair(5, 300),
                                 std::pair(256, 257), std::pair(300, 310), std::pair(9, 9)}) {
        std::vector<float> wanted;
        for (std::size_t row = 0; row < 4; ++row) {
          const float* values = whole.data() + row * 768;
          wanted.insert(wanted.end(), values + first, values + last);
        }
        std::vector<float> wide(wanted.size());
        std::vector<BFloat16> narrow(wanted.size());
        matrix.dequantise_part({2, 6, first, last}, wide.data());
        matrix.dequantise_part({2, 6, first, last}, narrow.data());
        EXPECT_TRUE(quantised_matrix_same_bits(wide, wanted))
            << info.name << " " << first << " to " << last;
        EXPECT_TRUE(quantised_matrix_same_bits(narrow, wanted))
            << info.name << " " << first << " to " << last;
        std::vector<float> widened(wanted.size());
        matrix.dequantise_part({2, 6, first, last}, widened.data(), true);
        for (std::size_t i = 0; i < wanted.size(); ++i)
          EXPECT_EQ(std::bit_cast<uint32_t>(widened[i]), uint32_t{narrow[i].bits} << 16)
              << info.name << " " << first + static_cast<int>(i);
      }
    }
  });
}

TEST(QuantisedMatrix, ASliceHasTheRowsOfTheWhole) {
  for (const BlockFormatInfo& info : block_formats()) {
    const QuantisedMatrix matrix = random_matrix(info.format, 9, 256);
    const QuantisedMatrix slice = matrix.slice(2, 8).slice(1, 4);
    std::vector<float> found(2 * 256);
    slice.dequantise_rows(1, 3, found.data());
    EXPECT_EQ(slice.rows(), 3);
    EXPECT_TRUE(quantised_matrix_same_bits(found, reference(matrix, 4, 6))) << info.name;
    EXPECT_THROW(slice.bytes(), Error);
  }
}

TEST(QuantisedMatrix, NothingIsWrittenBehindTheRows) {
  kernels::on_every_target([] {
    for (const BlockFormatInfo& info : block_formats()) {
      const QuantisedMatrix matrix = random_matrix(info.format, 3, 256 * 3);
      std::vector<BFloat16> narrow(256 * 3 + 32, BFloat16(7.25f));
      matrix.dequantise_rows(1, 2, narrow.data());
      for (std::size_t i = 256 * 3; i < narrow.size(); ++i) {
        EXPECT_EQ(static_cast<float>(narrow[i]), 7.25f) << info.name;
      }
    }
  });
}

TEST(QuantisedMatrix, BitsDoNotDependOnThreads) {
  for (const BlockFormatInfo& info : block_formats()) {
    const QuantisedMatrix matrix = random_matrix(info.format, 301, 512);
    kernels::expect_same_bits_everywhere([&] {
      Elements found = kernels::unset(DType::kF32, 301 * 512);
      matrix.dequantise_rows(0, 301, kernels::out(found));
      return found;
    });
  }
}

TEST(QuantisedMatrix, QuantisingIsTheSameOnAnyNumberOfThreads) {
  const Tensor weight = normal_weight(301, 512);
  const int threads = omp_get_max_threads();
  for (const BlockFormatInfo& info : block_formats()) {
    if (info.quantise == nullptr) continue;
    omp_set_num_threads(1);
    const QuantisedMatrix one = QuantisedMatrix::quantise(weight, info.format);
    omp_set_num_threads(3);
    const QuantisedMatrix three = QuantisedMatrix::quantise(weight, info.format);
    omp_set_num_threads(threads);
    EXPECT_EQ(std::memcmp(one.bytes().data(), three.bytes().data(), one.bytes().size()), 0);
  }
}

struct Bound {
  BlockFormat format;
  double relative;  // error of normal weights
  double bits;      // of an element
};

TEST(QuantisedMatrix, ErrorsAndSizesOfNormalWeightsAreAsExpected) {
  const Tensor weight = normal_weight(192, 512);
  // A block's largest of 32 normal numbers is about 2.2 deviations: a step of 8 bits is 2.2 / 127,
  // and an error is a step over the root of 12. A row's largest of 512 is about 3.2.
  for (const Bound& bound :
       {Bound{BlockFormat::kQ80, 0.0060, 8.5},
        Bound{BlockFormat::kInt8Rows, 0.0090, 8.0 + 32.0 / 512},
        Bound{BlockFormat::kNf4, 0.100, 4.128}, Bound{BlockFormat::kQ40, 0.100, 4.5}}) {
    for (DType dtype : {DType::kF32, DType::kBF16, DType::kF16}) {
      const Tensor stored = weight.to(dtype);
      const QuantisedMatrix matrix = QuantisedMatrix::quantise(stored, bound.format);
      const double error = relative_error(stored, matrix);
      EXPECT_LT(error, bound.relative) << matrix.format_name();
      EXPECT_GT(error, bound.relative / 2) << matrix.format_name();
      EXPECT_LE(static_cast<double>(matrix.bytes().size()) * 8.0 / (192.0 * 512.0), bound.bits)
          << matrix.format_name();
    }
  }
}

TEST(QuantisedMatrix, NoElementIsFurtherOffThanHalfAStep) {
  const Tensor weight = normal_weight(20, 64, 1.0);
  for (auto [format, steps] :
       {std::pair(BlockFormat::kQ80, 127.0f), std::pair(BlockFormat::kInt8Rows, 127.0f)}) {
    const Tensor found = QuantisedMatrix::quantise(weight, format).dequantised(DType::kF32);
    for (int64_t i = 0; i < weight.count(); ++i) {
      EXPECT_NEAR(found.data<float>()[i], weight.data<float>()[i], 0.51f * 5.0f / steps);
    }
  }
}

TEST(QuantisedMatrix, ZerosStayZeros) {
  for (const BlockFormatInfo& info : block_formats()) {
    if (info.quantise == nullptr) continue;
    const Tensor zeros = Tensor::zeros({3, 128}, DType::kBF16);
    const QuantisedMatrix matrix = QuantisedMatrix::quantise(zeros, info.format);
    EXPECT_EQ(relative_error(zeros, matrix), 0.0) << info.name;
    for (float value : reference(matrix, 0, 3)) EXPECT_EQ(value, 0.0f) << info.name;
  }
}

TEST(QuantisedMatrix, AnOutlierDoesNotSpoilOtherBlocksOfNf4) {
  const Tensor weight = normal_weight(64, 256);
  weight.mutable_data<float>()[5] = 3.0f;
  const Tensor found =
      QuantisedMatrix::quantise(weight, BlockFormat::kNf4).dequantised(DType::kF32);
  EXPECT_NEAR(found.data<float>()[5], 3.0f, 0.02f);
  double error = 0, norm = 0;
  for (int64_t i = 64; i < weight.count(); ++i) {
    const auto value = static_cast<double>(weight.data<float>()[i]);
    const double difference = value - static_cast<double>(found.data<float>()[i]);
    error += difference * difference;
    norm += value * value;
  }
  EXPECT_LT(std::sqrt(error / norm), 0.16);
}

double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    const double below = 0.5 * std::erfc(-middle / std::numbers::sqrt2);
    (below < probability ? low : high) = middle;
  }
  return low;
}

// Each side has its own equal steps of probability, from a half to the offset that leaves the
// mean of 1 / 32 and 1 / 30 beyond; the largest is made 1.
TEST(QuantisedMatrix, ValuesOfNf4AreQuantilesOfTheNormalDistribution) {
  const double end = 1.0 - (1.0 / 32 + 1.0 / 30) / 2;
  const double largest = normal_quantile(end);
  for (int i = 0; i < 8; ++i) {
    const double above = normal_quantile(0.5 + (end - 0.5) * (i + 1) / 8) / largest;
    EXPECT_NEAR(nf4::kValues[static_cast<std::size_t>(8 + i)], above, 2e-6) << i;
    const double below = i == 0 ? 0.0 : -normal_quantile(0.5 + (end - 0.5) * i / 7) / largest;
    EXPECT_NEAR(nf4::kValues[static_cast<std::size_t>(7 - i)], below, 2e-6) << i;
  }
}

TEST(QuantisedMatrix, CodesOfNf4Ascend) {
  for (std::size_t i = 1; i < 256; ++i) EXPECT_LT(nf4::codes()[i - 1], nf4::codes()[i]) << i;
  EXPECT_EQ(nf4::codes()[127], 0.0f);
  EXPECT_EQ(nf4::codes()[255], 1.0f);
}

TEST(QuantisedMatrix, FormatsAreFoundByTheirNames) {
  for (const BlockFormatInfo& info : block_formats()) {
    EXPECT_EQ(block_format_from_name(info.name), info.format);
    EXPECT_EQ(&block_format_info(info.format), &info);
  }
  EXPECT_FALSE(block_format_from_name("Q9_0").has_value());
}

std::string message_of(const Tensor& weight, BlockFormat format) {
  try {
    QuantisedMatrix::quantise(weight, format);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(QuantisedMatrix, WhatCannotBeQuantisedIsRefused) {
  EXPECT_EQ(message_of(normal_weight(2, 48), BlockFormat::kQ80),
            "a weight of 2 rows and 48 columns cannot be Q8_0: its blocks of 32 do not divide a "
            "row");
  EXPECT_EQ(message_of(normal_weight(2, 256), BlockFormat::kQ4K),
            "Q4_K is only read; quantise to Q8_0, Q4_0, INT8 or NF4");
  EXPECT_EQ(message_of(Tensor::zeros({64}, DType::kF32), BlockFormat::kNf4),
            "a F32 tensor of shape (64) cannot be quantised; expected a floating matrix");
  for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -1e38f}) {
    const Tensor weight = normal_weight(40, 1024);
    weight.mutable_data<float>()[33 * 1024 + 7] = bad;
    for (BlockFormat format : {BlockFormat::kQ80, BlockFormat::kQ40}) {
      EXPECT_NE(message_of(weight, format).find("row 33 of a weight of shape (40, 1024) holds"),
                std::string::npos);
    }
    if (bad == -1e38f) continue;  // a float holds its scale
    for (BlockFormat format : {BlockFormat::kInt8Rows, BlockFormat::kNf4}) {
      EXPECT_NE(message_of(weight, format).find("row 33"), std::string::npos);
    }
  }
}

TEST(QuantisedMatrix, BytesOfAnotherLengthAreRefused) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(33);
  EXPECT_THROW(QuantisedMatrix::borrow(BlockFormat::kQ80, {1, 32}, *bytes, bytes), Error);
  EXPECT_THROW(QuantisedMatrix::borrow(BlockFormat::kQ80, {1, 33}, *bytes, bytes), Error);
}

}  // namespace
}  // namespace inlay
