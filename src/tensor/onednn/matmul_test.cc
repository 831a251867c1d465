#include "tensor/onednn/matmul.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "tensor/arena.h"

namespace inlay::onednn {
namespace {

Tensor random_tensor(const Shape& shape, const char* name) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  Stream stream(1, name);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = stream.uniform(i) - 0.5f;
  return tensor;
}

class MatmulTest : public testing::Test {
 protected:
  Tensor product(const Tensor& x, const Tensor& weight, const Tensor* bias, DType compute) {
    PackedMatrix packed = PackedMatrix::pack(weight, Layout::kOutIn, compute);
    Tensor src = x.to(compute);
    Tensor y = Tensor::empty({x.dim(0), weight.dim(0)}, DType::kF32);
    runtime_.matmul({.src = src.raw(),
                     .rows = x.dim(0),
                     .dst = y.mutable_raw(),
                     .bias = bias != nullptr ? bias->data<float>() : nullptr},
                    packed);
    return y;
  }

  Arena arena_;
  Runtime runtime_{&arena_};
};

TEST_F(MatmulTest, AgreesWithThePlainSum) {
  for (int64_t rows : {1, 63, 64, 65, 200}) {
    Tensor x = random_tensor({rows, 48}, "x"), weight = random_tensor({40, 48}, "w"),
           bias = random_tensor({40}, "b");
    Tensor y = product(x, weight, &bias, DType::kF32);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < 40; ++j) {
        double sum = bias.data<float>()[j];
        for (int64_t k = 0; k < 48; ++k)
          sum += double{x.data<float>()[i * 48 + k]} * weight.data<float>()[j * 48 + k];
        ASSERT_NEAR(y.data<float>()[i * 40 + j], sum, 48 * 6e-8) << i << " " << j;
      }
    }
  }
}

// Rounded once, at the operands: sums are float32's.
TEST_F(MatmulTest, ABf16ProductIsThatOfRoundedNumbers) {
  for (Layout layout : {Layout::kOutIn, Layout::kInOut}) {
    bool out_in = layout == Layout::kOutIn;
    Tensor x = random_tensor({70, 48}, "x").to(DType::kBF16);
    Tensor weight = random_tensor(out_in ? Shape{40, 48} : Shape{48, 40}, "w");
    Tensor y = Tensor::empty({70, 40}, DType::kF32), narrow = Tensor::empty({70, 40}, DType::kBF16);
    PackedMatrix packed = PackedMatrix::pack(weight, layout, DType::kBF16);
    runtime_.matmul({.src = x.raw(), .rows = 70, .dst = y.mutable_raw()}, packed);
    runtime_.matmul(
        {.src = x.raw(), .rows = 70, .dst = narrow.mutable_raw(), .dst_dtype = DType::kBF16},
        packed);
    Tensor wide = x.to(DType::kF64), rounded = weight.to(DType::kBF16).to(DType::kF64);
    for (int64_t i = 0; i < 70; ++i) {
      for (int64_t j = 0; j < 40; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < 48; ++k)
          sum += wide.data<double>()[i * 48 + k] *
                 rounded.data<double>()[out_in ? j * 48 + k : k * 40 + j];
        ASSERT_NEAR(y.data<float>()[i * 40 + j], sum, 48 * 6e-8) << i << " " << j;
        ASSERT_NEAR(static_cast<float>(narrow.data<BFloat16>()[i * 40 + j]), sum,
                    48 * 6e-8 + std::fabs(sum) / 256);
      }
    }
  }
}

TEST_F(MatmulTest, TransposedProductAgreesWithThePlainSum) {
  for (int64_t m : {24, 64, 150}) {
    for (int64_t k : {1, 64, 100}) {
      Tensor left = random_tensor({k, m}, "l"), right = random_tensor({k, 16}, "r");
      std::vector<float> dst(static_cast<std::size_t>(m * 16));
      runtime_.matmul_transposed(left.raw(), right.raw(), DType::kF32, k, m, 16, dst.data());
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < 16; ++j) {
          double sum = 0;
          for (int64_t t = 0; t < k; ++t)
            sum += double{left.data<float>()[t * m + i]} * right.data<float>()[t * 16 + j];
          ASSERT_NEAR(dst[static_cast<std::size_t>(i * 16 + j)], sum,
                      static_cast<double>(k) * 6e-8);
        }
      }
    }
  }
}

// What the promise of equal bits rests on.
TEST_F(MatmulTest, ARowHasTheSameBitsForAnyRowCountAndThreadCount) {
  for (DType compute : {DType::kF32, DType::kBF16}) {
    for (auto [in, out] :
         {std::pair<int64_t, int64_t>{384, 1536}, {384, 384}, {1536, 384}, {384, 2}}) {
      Tensor x = random_tensor({1024, in}, "x"), weight = random_tensor({out, in}, "w");
      Tensor all = product(x, weight, nullptr, compute);
      for (int64_t rows : {1, 7, 64, 100, 640}) {
        for (int64_t first : {0, 5, 64}) {  // a row's place does not matter, either
          for (int threads : {1, 2}) {
            omp_set_num_threads(threads);
            Tensor some = product(x.rows(first, first + rows), weight, nullptr, compute);
            Tensor expected = all.rows(first, first + rows);
            ASSERT_EQ(std::memcmp(some.raw(), expected.raw(), some.byte_count()), 0)
                << dtype_name(compute) << " " << in << "x" << out << " rows " << first << " to "
                << first + rows << " threads " << threads;
          }
        }
      }
    }
  }
}

TEST_F(MatmulTest, RoomBehindTheRowsChangesNoBitOfThem) {
  Tensor weight = random_tensor({48, 96}, "w");
  for (int64_t rows : {1, 63, 65, 128, 130}) {
    Tensor x = random_tensor({rows, 96}, "x");
    Tensor roomy = Tensor::empty_rows(x.shape(), DType::kF32, kRowUnit, &arena_);
    std::memset(roomy.mutable_raw(), 0xff,  // every spare element is a NaN
                static_cast<std::size_t>(rows + roomy.spare_rows()) * 96 * sizeof(float));
    std::memcpy(roomy.mutable_raw(), x.raw(), x.byte_count());
    Tensor expected = product(x, weight, nullptr, DType::kF32);
    Tensor y = Tensor::empty_rows({rows, 48}, DType::kF32, kRowUnit, &arena_);
    runtime_.matmul({.src = roomy.raw(),
                     .rows = rows,
                     .spare_rows = roomy.spare_rows(),
                     .dst = y.mutable_raw()},
                    PackedMatrix::pack(weight, Layout::kOutIn, DType::kF32));
    EXPECT_EQ(std::memcmp(y.raw(), expected.raw(), y.byte_count()), 0) << rows;
  }
}

TEST_F(MatmulTest, PacksNewValuesOfTheSameShape) {
  Tensor x = random_tensor({64, 32}, "x");
  Tensor first = random_tensor({16, 32}, "first"), second = random_tensor({16, 32}, "second");
  PackedMatrix packed = PackedMatrix::pack(first, Layout::kOutIn, DType::kF32);
  for (const Tensor& weight : {second, first, second}) {
    packed.repack(weight);
    Tensor y = Tensor::empty({64, 16}, DType::kF32, &arena_);
    runtime_.matmul({.src = x.raw(), .rows = 64, .dst = y.mutable_raw()}, packed);
    Tensor expected = product(x, weight, nullptr, DType::kF32);
    EXPECT_EQ(std::memcmp(y.raw(), expected.raw(), y.byte_count()), 0);
  }
}

TEST_F(MatmulTest, TransposedProductHasTheSameBitsForAnyThreadCount) {
  for (DType dtype : {DType::kF32, DType::kBF16}) {
    Tensor left = random_tensor({128, 384}, "l").to(dtype),
           right = random_tensor({128, 1536}, "r").to(dtype);
    std::vector<float> one(384 * 1536), two(384 * 1536);
    omp_set_num_threads(1);
    runtime_.matmul_transposed(left.raw(), right.raw(), dtype, 128, 384, 1536, one.data());
    omp_set_num_threads(2);
    runtime_.matmul_transposed(left.raw(), right.raw(), dtype, 128, 384, 1536, two.data());
    EXPECT_EQ(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)), 0)
        << dtype_name(dtype);
  }
}

TEST_F(MatmulTest, CompilesAKernelOncePerShape) {
  Tensor x = random_tensor({130, 64}, "x"), weight = random_tensor({64, 64}, "w");
  product(x, weight, nullptr, DType::kF32);
  int64_t created = runtime_.primitives_created();
  product(x, weight, nullptr, DType::kF32);
  EXPECT_EQ(runtime_.primitives_created(), created);
}

}  // namespace
}  // namespace inlay::onednn
