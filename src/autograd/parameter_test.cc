#include "autograd/parameter.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/row_ops.h"
#include "autograd/ops/scale.h"

namespace inlay {
namespace {

Tensor ones(const Variable& y) {
  return tensor_of(y.shape(), y.dtype(), std::vector<double>(1000, 1.0).data());
}

// What a factor of rows that hold 1, 2, 4 and 8 gets as its gradient: their sum.
void scale_and_walk_back(OpContext& context, Parameter& factor, const RowSpace& rows) {
  ++context.forward;
  Variable x =
      context.tape.constant(Tensor::of<float>({4, 1}, std::vector<float>{1, 2, 4, 8}), &rows);
  Variable y = scale(context, x, factor);
  context.tape.backward(y, ones(y));
}

Parameter one_factor() { return {"factor", Tensor::of<float>({1}, std::vector<float>{1})}; }

TEST(Parameter, SumsItsGradientUntilItIsTaken) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1, 3});
  Parameter factor = one_factor();
  scale_and_walk_back(context, factor, rows);
  scale_and_walk_back(context, factor, rows);
  EXPECT_EQ(factor.take_gradient().data<float>()[0], 30.0f);
  EXPECT_FALSE(factor.take_gradient().defined());
}

TEST(Parameter, OutlivesTheContextOfAnUnfinishedGradient) {
  RowSpace rows = make_row_space({1, 3});
  Parameter factor = one_factor();
  {
    OpContext context(DType::kF32);
    scale_and_walk_back(context, factor, rows);
  }
  EXPECT_EQ(factor.take_gradient().data<float>()[0], 15.0f);
}

TEST(Parameter, RefusesToMixGradientsOfTwoContexts) {
  OpContext first(DType::kF32), second(DType::kF32);
  RowSpace rows = make_row_space({4});
  Parameter factor = one_factor();
  scale_and_walk_back(first, factor, rows);
  EXPECT_THROW(scale_and_walk_back(second, factor, rows), Error);
  factor.take_gradient();
  scale_and_walk_back(second, factor, rows);
  EXPECT_EQ(factor.take_gradient().data<float>()[0], 15.0f);
}

TEST(Parameter, GivesItsNewValuesToProductsAfterAChange) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1});
  Parameter weight("weight", Tensor::of<float>({1, 1}, std::vector<float>{3}));
  auto product = [&] {
    Variable x = context.tape.constant(Tensor::of<float>({1, 1}, std::vector<float>{5}), &rows);
    ++context.forward;
    return linear(context, x, {.weight = &weight}, Precision::kFull).value().data<float>()[0];
  };
  EXPECT_EQ(product(), 15.0f);
  weight.set_value(Tensor::of<float>({1, 1}, std::vector<float>{4}));
  EXPECT_EQ(product(), 20.0f);
  weight.mutable_value().mutable_data<float>()[0] = 2;
  weight.changed();
  EXPECT_EQ(product(), 10.0f);
  EXPECT_THROW(weight.set_value(Tensor::zeros({2, 1}, DType::kF32)), Error);
}

TEST(Parameter, GetsZerosFromChunksWithoutRows) {
  for (DType compute : {DType::kF32, DType::kBF16}) {
    OpContext context(compute);
    RowSpace rows = make_row_space({0, 2, 0});
    Parameter weight("weight", Tensor::zeros({3, 2}, DType::kF32)),
        bias("bias", Tensor::zeros({3}, DType::kF32));
    ++context.forward;
    Variable x =
        context.tape.constant(Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 10, 20}), &rows);
    Variable y = linear(context, x, {.weight = &weight, .bias = &bias}, Precision::kFull);
    context.tape.backward(y, ones(y));
    Tensor grad = weight.take_gradient();
    for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(grad.data<float>()[i], i % 2 == 0 ? 11.0f : 22.0f);
    EXPECT_EQ(bias.take_gradient().data<float>()[2], 2.0f);
  }
}

TEST(Parameter, SumsAlikeWhetherOrNotOthersRanBefore) {
  auto gradient = [](int forward_passes_without_backward) {
    OpContext context(DType::kF32);
    RowSpace rows = make_row_space({1, 1, 2, 1});
    Parameter factor("factor", Tensor::of<float>({1}, std::vector<float>{1}));
    context.tape.set_recording(false);
    Variable x = context.tape.constant(drawn_tensor("x", {5, 3}), &rows);
    context.forward = 1;
    for (int i = 0; i < forward_passes_without_backward; ++i) scale(context, x, factor);
    context.tape.set_recording(true);
    for (context.forward = 1; context.forward < 4; ++context.forward) {
      Variable y = scale(context, x, factor);
      context.tape.backward(y, drawn_tensor("seed", {5, 3}));
    }
    return factor.take_gradient().data<float>()[0];
  };
  EXPECT_EQ(gradient(0), gradient(1));
}

}  // namespace
}  // namespace inlay
