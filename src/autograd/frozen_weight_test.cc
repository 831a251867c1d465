#include "autograd/frozen_weight.h"

#include <thread>

#include "autograd/gradient_check.h"
#include "tensor/quantised/quantised_test.h"

namespace inlay {
namespace {

constexpr auto kPacked = onednn::Reading::kPacked;

TEST(FrozenWeight, IsPackedOncePerTypeAndDirectionForAllContexts) {
  int packings = 0;
  FrozenWeight weight(drawn_tensor("w", {8, 4}), Tensor(), onednn::Layout::kOutIn,
                      [&] { ++packings; });
  std::thread other([&] { weight.forward(DType::kBF16, kPacked); });
  const onednn::PackedMatrix* packed = &weight.forward(DType::kBF16, kPacked);
  other.join();
  EXPECT_EQ(&weight.forward(DType::kBF16, kPacked), packed);
  EXPECT_EQ(packings, 1);
  weight.backward(DType::kBF16, kPacked);
  weight.forward(DType::kF32, kPacked);
  EXPECT_EQ(packings, 3);
}

TEST(FrozenWeight, IsNotPackedWhereItIsReadAsStored) {
  int packings = 0;
  FrozenWeight weight(drawn_tensor("w", {8, 4}), Tensor(), onednn::Layout::kOutIn,
                      [&] { ++packings; });
  EXPECT_EQ(weight.forward(DType::kBF16, onednn::Reading::kStored).bytes(), 0u);
  EXPECT_EQ(weight.backward(DType::kF32, onednn::Reading::kStored).bytes(), 0u);
  EXPECT_EQ(packings, 0);
  EXPECT_GT(weight.forward(DType::kF32, kPacked).bytes(), 0u);
  EXPECT_EQ(packings, 1);
}

TEST(FrozenWeight, SaysItsSizesInEitherLayout) {
  for (onednn::Layout layout : {onednn::Layout::kOutIn, onednn::Layout::kInOut}) {
    Shape shape = layout == onednn::Layout::kOutIn ? Shape{8, 4} : Shape{4, 8};
    FrozenWeight weight(drawn_tensor("w", shape), drawn_tensor("b", {8}, DType::kBF16), layout,
                        nullptr);
    EXPECT_EQ(weight.in(), 4);
    EXPECT_EQ(weight.out(), 8);
    EXPECT_EQ(weight.exact().shape(), (Shape{8, 4}));
    EXPECT_EQ(weight.bias().dtype(), DType::kF32);
  }
}

TEST(FrozenWeight, TransposesWhatIsStoredInOut) {
  FrozenWeight weight(drawn_tensor("w", {3, 2}), Tensor(), onednn::Layout::kInOut, nullptr);
  Tensor dense = weight.dense(DType::kF32);
  ASSERT_EQ(dense.shape(), (Shape{2, 3}));
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(dense.data<float>()[i], weight.weight().data<float>()[i % 3 * 2 + i / 3]);
    EXPECT_EQ(weight.exact().data<double>()[i], double{dense.data<float>()[i]});
  }
}

TEST(FrozenWeight, KeepsAQuantisedWeightInItsBlocks) {
  QuantisedMatrix matrix = drawn_matrix(BlockFormat::kNf4, 10, 128);
  FrozenWeight weight(matrix, drawn_tensor("b", {10}, DType::kBF16));
  EXPECT_EQ(weight.in(), 128);
  EXPECT_EQ(weight.out(), 10);
  EXPECT_TRUE(weight.is_quantised());
  EXPECT_EQ(weight.bias().dtype(), DType::kF32);
  EXPECT_EQ(weight.quantised().bytes().data(), matrix.bytes().data());
  EXPECT_EQ(weight.forward(DType::kF32, kPacked).bytes(), 0u);
  EXPECT_EQ(weight.backward(DType::kBF16, kPacked).bytes(), 0u);
  Tensor numbers = matrix.dequantised(DType::kF32);
  for (int64_t i = 0; i < numbers.count(); ++i)
    EXPECT_EQ(weight.exact().data<double>()[i], double{numbers.data<float>()[i]});
}

}  // namespace
}  // namespace inlay
