#include "autograd/tape.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/lora.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/pooling.h"
#include "autograd/ops/scale.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

Tensor ones_like(const Variable& y) {
  Tensor tensor = Tensor::empty(y.shape(), y.dtype());
  for (int64_t i = 0; i < tensor.count(); ++i) out(tensor).store(i, 1.0);
  return tensor;
}

// A layer with an adapter and a head, and the steps of training them.
class SmallModel {
 public:
  explicit SmallModel(DType compute) : context(compute) {}

  Variable losses() {
    ++context.forward;
    Variable x = context.tape.constant(drawn_tensor("x", {tokens_.rows(), 16}), &tokens_);
    Variable q = linear(context, x, {.frozen = &frozen_}, Precision::kCompute);
    q = lora(context, std::move(q), x, a_, b_, 2.0f);
    Variable mixed = attention(context, q, q, q, tokens_.example_offsets, tokens_.example_offsets,
                               {.heads = 4, .kv_heads = 4});
    Variable y = layer_norm(context, linear(context, mixed, {.frozen = &frozen_}, Precision::kFull),
                            x, norm_);
    Variable pooled =
        pooling(context, activation(context, y, Activation::kGelu), Pooling::kMean, &examples_);
    Variable logits = linear(context, pooled, {.weight = &head_}, Precision::kFull);
    return cross_entropy(context, logits, targets_, {.normalizer = 3});
  }

  void step() {
    {
      Variable y = losses();
      context.tape.backward(y, ones_like(y));
    }
    for (Parameter* parameter : {&a_, &b_, &head_}) {
      Tensor gradient = parameter->take_gradient();
      kernels::axpy(-0.1, in(gradient), out(parameter->mutable_value()), gradient.count());
      parameter->changed();
    }
  }

  OpContext context;

 private:
  RowSpace tokens_ = make_row_space({5, 70, 1}), examples_ = make_row_space({1, 1, 1});
  FrozenWeight frozen_{drawn_tensor("w", {16, 16}), drawn_tensor("bias", {16}),
                       onednn::Layout::kOutIn, nullptr};
  NormWeights norm_{.gamma = drawn_tensor("gamma", {16}), .beta = drawn_tensor("beta", {16})};
  Parameter a_{"a", drawn_tensor("a", {2, 16})}, b_{"b", drawn_tensor("b", {16, 2})};
  Parameter head_{"head", drawn_tensor("head", {2, 16})};
  std::vector<int32_t> targets_{0, 1, 1};
};

TEST(Tape, NeedsNoNewMemoryOrKernelsForStepsOfTheSameShape) {
  for (DType compute : {DType::kF32, DType::kBF16}) {
    SmallModel model(compute);
    model.step();
    model.step();
    std::size_t touched = model.context.arena.touched_bytes();
    int64_t kernels = model.context.runtime.primitives_created();
    for (int i = 0; i < 20; ++i) model.step();
    EXPECT_EQ(model.context.arena.bytes_in_use(), 0u);
    EXPECT_EQ(model.context.arena.touched_bytes(), touched);
    EXPECT_EQ(model.context.runtime.primitives_created(), kernels);
  }
}

TEST(Tape, GivesAllMemoryBackWhenAForwardPassIsCleared) {
  SmallModel model(DType::kBF16);
  model.losses();
  EXPECT_GT(model.context.arena.bytes_in_use(), 0u);
  model.context.tape.clear();
  EXPECT_EQ(model.context.arena.bytes_in_use(), 0u);
}

TEST(Tape, KeepsNothingWhenNotRecording) {
  SmallModel model(DType::kF32);
  model.context.tape.set_recording(false);
  Variable y = model.losses();
  EXPECT_FALSE(y.requires_grad());
  y = Variable();
  EXPECT_EQ(model.context.arena.bytes_in_use(), 0u);
}

TEST(Tape, GivesAllMemoryBackWhenABackwardPassFails) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({4});
  {
    Variable x = context.tape.input(drawn_tensor("x", {4, 2}).clone(&context.arena), &rows);
    Variable y = context.tape.record(scale(context, x, 2.0).value(), &rows, true,
                                     [kept = x.value()](Tape&, const Tensor&) {
                                       fail(ErrorKind::kInput, "the loss is not a number");
                                     });
    EXPECT_THROW(context.tape.backward(y, ones_like(y)), Error);
    context.tape.clear();
  }
  EXPECT_EQ(context.arena.bytes_in_use(), 0u);
}

TEST(Tape, AddsIntoAGradientOnlyWhenNobodyElseHoldsIt) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({3});
  Variable x = context.tape.input(drawn_tensor("x", {3, 2}), &rows);
  Variable other = context.tape.input(drawn_tensor("other", {3, 2}), &rows);
  // d/dx = 1 + 3, d/dother = 1: both are given the same tensor first.
  Variable y = add(context, scale(context, x, 3.0), add(context, x, other));
  context.tape.backward(y, ones_like(y));
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(x.grad().data<float>()[i], 4.0f);
    EXPECT_EQ(other.grad().data<float>()[i], 1.0f);
  }
}

TEST(Tape, ConvertsAValueOnceForAllItsProducts) {
  OpContext context(DType::kBF16);
  RowSpace rows = make_row_space({3});
  Variable x = context.tape.constant(drawn_tensor("x", {3, 2}), &rows);
  EXPECT_EQ(context.tape.value_as(x, DType::kBF16).raw(),
            context.tape.value_as(x, DType::kBF16).raw());
  EXPECT_EQ(context.tape.value_as(x, DType::kF32).raw(), x.value().raw());
}

TEST(Tape, RefusesAGradientOfAnotherShapeOrType) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({3});
  Variable x = context.tape.input(drawn_tensor("x", {3, 2}), &rows);
  EXPECT_THROW(context.tape.accumulate(x.slot(), Tensor::zeros({3, 1}, DType::kF32)), Error);
  EXPECT_THROW(context.tape.accumulate(x.slot(), Tensor::zeros({3, 2}, DType::kBF16)), Error);
}

TEST(Tape, RefusesToWalkBackFromAConstant) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({3});
  Variable x = context.tape.constant(drawn_tensor("x", {3, 2}), &rows);
  EXPECT_THROW(context.tape.backward(x, ones_like(x)), Error);
}

}  // namespace
}  // namespace inlay
