#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>

#include "base/random.h"
#include "tensor/arena.h"
#include "tensor/onednn/cpu_engine.h"
#include "tensor/onednn/matmul.h"
#include "tensor/quantised/quantised_test.h"

namespace inlay::onednn {
namespace {

constexpr DType kComputeTypes[] = {DType::kF32, DType::kBF16};
constexpr Layout kLayouts[] = {Layout::kOutIn, Layout::kInOut};  // y = x W^T, dx = dy W

Tensor random_rows(int64_t rows, int64_t columns) {
  Tensor tensor = Tensor::empty({rows, columns}, DType::kF32);
  Stream stream(1, "x");
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = stream.uniform(static_cast<uint64_t>(i)) - 0.5f;
  return tensor;
}

class QuantisedMatmulTest : public testing::Test {
 protected:
  Tensor product(const Tensor& x, const PackedMatrix& weight, const float* bias = nullptr,
                 DType dst_dtype = DType::kF32) {
    Tensor src = x.to(weight.compute());
    Tensor y = Tensor::empty({x.dim(0), weight.out()}, dst_dtype);
    runtime_.matmul({.src = src.raw(),
                     .rows = x.dim(0),
                     .dst = y.mutable_raw(),
                     .dst_dtype = dst_dtype,
                     .bias = bias},
                    weight);
    return y;
  }

  ~QuantisedMatmulTest() override { omp_set_num_threads(threads_); }

  int threads_ = omp_get_max_threads();
  Arena arena_;
  Runtime runtime_{&arena_};
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.byte_count() == b.byte_count() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

// Without AVX-512 both run the same kernels on the same numbers; with it the packed one is one
// kernel over all columns.
void expect_equal(const Tensor& found, const Tensor& wanted, double largest, const char* format) {
  if (!has_avx512()) {
    EXPECT_TRUE(same_bits(found, wanted)) << format;
  }
  Tensor wide = found.to(DType::kF64), expected = wanted.to(DType::kF64);
  for (int64_t i = 0; i < wide.count(); ++i) {
    ASSERT_NEAR(wide.data<double>()[i], expected.data<double>()[i], 1e-6 * largest)
        << format << " " << i;
  }
}

// Two panels and a part of one in either direction.
TEST_F(QuantisedMatmulTest, IsTheProductWithTheDequantisedMatrixInEveryFormat) {
  for (const BlockFormatInfo& info : block_formats()) {
    const QuantisedMatrix weight = drawn_matrix(info.format, 300, 512);
    const Tensor bias = random_rows(1, 512);
    for (DType compute : kComputeTypes) {
      for (Layout layout : kLayouts) {
        PackedMatrix thin = PackedMatrix::over(weight, layout, compute);
        PackedMatrix dense = PackedMatrix::pack(weight.dequantised(compute), layout, compute);
        Tensor x = random_rows(70, thin.in());
        expect_equal(product(x, thin, bias.data<float>()), product(x, dense, bias.data<float>()),
                     4.0, info.name.data());
        EXPECT_EQ(thin.bytes(), 0u);
      }
    }
  }
}

// In place where the types agree, by way of a panel where they do not.
TEST_F(QuantisedMatmulTest, IsTheProductWithThePackedMatrixForAWeightAsItIsStored) {
  const Tensor drawn = random_rows(300, 512), bias = random_rows(1, 512);
  for (DType stored : {DType::kF32, DType::kBF16, DType::kF16}) {
    const Tensor weight = drawn.to(stored);
    for (DType compute : kComputeTypes) {
      for (Layout layout : kLayouts) {
        PackedMatrix thin = PackedMatrix::over(weight, layout, compute);
        PackedMatrix dense = PackedMatrix::pack(weight, layout, compute);
        Tensor x = random_rows(70, thin.in());
        expect_equal(product(x, thin, bias.data<float>()), product(x, dense, bias.data<float>()),
                     100.0, dtype_name(stored).data());
        EXPECT_EQ(thin.bytes(), 0u);
      }
    }
  }
}

TEST_F(QuantisedMatmulTest, AgreesWithThePlainSum) {
  const QuantisedMatrix weight = drawn_matrix(BlockFormat::kNf4, 150, 192);
  const Tensor numbers = weight.dequantised(DType::kF32);
  for (int64_t rows : {1, 64, 65}) {
    for (Layout layout : kLayouts) {
      PackedMatrix thin = PackedMatrix::over(weight, layout, DType::kF32);
      Tensor x = random_rows(rows, thin.in()), y = product(x, thin);
      for (int64_t i = 0; i < y.count(); ++i) {
        double sum = 0;
        for (int64_t k = 0; k < thin.in(); ++k) {
          int64_t j = i % thin.out();
          sum += double{x.data<float>()[i / thin.out() * thin.in() + k]} *
                 numbers.data<float>()[layout == Layout::kOutIn ? j * 192 + k : k * 192 + j];
        }
        ASSERT_NEAR(y.data<float>()[i], sum, 192 * 6e-8) << rows << " " << i;
      }
    }
  }
}

// What the promise of equal bits rests on.
TEST_F(QuantisedMatmulTest, ARowHasTheSameBitsForAnyRowCountAndThreadCount) {
  const QuantisedMatrix weight = drawn_matrix(BlockFormat::kInt8Rows, 576, 1536);
  for (DType compute : kComputeTypes) {
    for (Layout layout : kLayouts) {
      PackedMatrix thin = PackedMatrix::over(weight, layout, compute);
      Tensor x = random_rows(512, thin.in()), all = product(x, thin);
      for (int64_t rows : {1, 7, 64, 100, 400}) {
        for (int64_t first : {0, 5, 64}) {  // a row's place does not matter, either
          for (int threads : {1, 2}) {
            omp_set_num_threads(threads);
            EXPECT_TRUE(same_bits(product(x.rows(first, first + rows), thin),
                                  all.rows(first, first + rows)))
                << dtype_name(compute) << " rows " << first << " to " << first + rows << " threads "
                << threads;
          }
        }
      }
    }
  }
}

TEST_F(QuantisedMatmulTest, ResultsAreRoundedToBf16WhereThatIsAskedFor) {
  const QuantisedMatrix weight = drawn_matrix(BlockFormat::kQ80, 130, 96);
  PackedMatrix thin = PackedMatrix::over(weight, Layout::kOutIn, DType::kBF16);
  Tensor x = random_rows(66, 96);
  EXPECT_TRUE(
      same_bits(product(x, thin, nullptr, DType::kBF16), product(x, thin).to(DType::kBF16)));
}

// Of matrices of 4 and 16 MiB of floats: a panel of 4 MiB, a piece of the result and what a kernel
// asks for.
TEST_F(QuantisedMatmulTest, TakesAFewMegabytesForEachThreadWhateverTheMatrix) {
  for (auto [rows, columns] :
       {std::pair<int64_t, int64_t>{1024, 1024}, {256, 16384}, {16384, 256}}) {
    const QuantisedMatrix weight = drawn_matrix(BlockFormat::kNf4, rows, columns);
    for (DType compute : kComputeTypes) {
      for (Layout layout : kLayouts) {
        PackedMatrix thin = PackedMatrix::over(weight, layout, compute);
        Tensor x = random_rows(64, thin.in()), src = x.to(compute);
        Tensor y = Tensor::empty({64, thin.out()}, DType::kF32);
        const std::size_t widened = compute == DType::kF32 ? 0 : x.byte_count();
        for (int threads : {1, 2}) {
          omp_set_num_threads(threads);
          Arena arena;
          Runtime runtime(&arena);
          runtime.matmul({.src = src.raw(), .rows = 64, .dst = y.mutable_raw()}, thin);
          EXPECT_LE(arena.peak_bytes(), widened + static_cast<std::size_t>(threads) * (5 << 20))
              << rows << "x" << columns << " " << dtype_name(compute);
          EXPECT_EQ(arena.bytes_in_use(), 0u);
        }
      }
    }
  }
}

TEST_F(QuantisedMatmulTest, CompilesNoKernelForAnotherMatrixOfTheSameShape) {
  Tensor x = random_rows(64, 256);
  product(x, PackedMatrix::over(drawn_matrix(BlockFormat::kQ6K, 256, 256), Layout::kOutIn,
                                DType::kF32));
  int64_t created = runtime_.primitives_created();
  product(x, PackedMatrix::over(drawn_matrix(BlockFormat::kNf4, 256, 256), Layout::kOutIn,
                                DType::kF32));
  EXPECT_EQ(runtime_.primitives_created(), created);
}

}  // namespace
}  // namespace inlay::onednn
