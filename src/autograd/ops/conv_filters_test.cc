#include "autograd/ops/conv_filters.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

std::vector<float> numbers_of(const Tensor& tensor) {
  return {tensor.data<float>(), tensor.data<float>() + tensor.count()};
}

Tensor counted(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = static_cast<float>(i);
  return tensor;
}

TEST(ConvFilters, PatchesHaveTheChannelsOfATapTogether) {
  // Two filters of two channels with three taps each.
  ConvShape shape{.in = 2, .out = 2, .kernel_height = 1, .kernel_width = 3};
  Tensor filters = patch_filters(shape, counted(shape.weight_shape()), tensor_heap());
  EXPECT_EQ(filters.shape(), (Shape{2, 6}));
  EXPECT_EQ(numbers_of(filters), (std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
}

TEST(ConvFilters, OfOneTapShareTheBytes) {
  ConvShape shape{.in = 3, .out = 2};
  Tensor weight = counted(shape.weight_shape());
  Tensor filters = patch_filters(shape, weight, tensor_heap());
  EXPECT_EQ(filters.shape(), (Shape{2, 3}));
  EXPECT_EQ(filters.raw(), weight.raw());
}

TEST(ConvFilters, DepthwiseTapsHaveTheirChannelsTogether) {
  ConvShape shape{.in = 3, .out = 3, .kernel_height = 2, .kernel_width = 1, .groups = 3};
  Tensor taps = tap_filters(shape, counted(shape.weight_shape()), tensor_heap());
  EXPECT_EQ(taps.shape(), (Shape{2, 3}));
  EXPECT_EQ(numbers_of(taps), (std::vector<float>{0, 2, 4, 1, 3, 5}));
}

TEST(ConvFilters, KeepTheBitsOfEveryTypeAndComeBack) {
  ConvShape shape{.in = 6, .out = 5, .kernel_height = 3, .kernel_width = 2};
  for (DType dtype : {DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    Tensor weight = drawn_tensor("weight", shape.weight_shape()).to(dtype);
    Tensor filters = patch_filters(shape, weight, tensor_heap());
    Tensor back = Tensor::empty(weight.shape(), dtype);
    transpose_filters(filters, {5, 6, 6}, back);
    EXPECT_EQ(std::memcmp(back.raw(), weight.raw(), weight.byte_count()), 0) << dtype_name(dtype);
  }
}

}  // namespace
}  // namespace inlay
