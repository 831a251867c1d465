#include "autograd/frozen_weight.h"

#include <thread>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(FrozenWeight, IsPackedOncePerTypeAndDirectionForAllContexts) {
  int packings = 0;
  FrozenWeight weight(drawn_tensor("w", {8, 4}), Tensor(), onednn::Layout::kOutIn,
                      [&] { ++packings; });
  std::thread other([&] { weight.packed_forward(DType::kBF16); });
  const onednn::PackedMatrix* packed = &weight.packed_forward(DType::kBF16);
  other.join();
  EXPECT_EQ(&weight.packed_forward(DType::kBF16), packed);
  EXPECT_EQ(packings, 1);
  weight.packed_backward(DType::kBF16);
  weight.packed_forward(DType::kF32);
  EXPECT_EQ(packings, 3);
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

}  // namespace
}  // namespace inlay
