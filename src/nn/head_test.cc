#include "nn/head.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

const HeadLayout kRobertaLike{.dense = {{"classifier.dense", Activation::kTanh}},
                              .output = "classifier.out_proj"};

TEST(Head, NamesItsParametersAsHuggingFaceDoes) {
  Head head(kRobertaLike, 8, 3, 0.1, 1);
  std::vector<std::string> names;
  for (const Parameter& parameter : head.parameters()) names.push_back(parameter.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"classifier.dense.weight", "classifier.dense.bias",
                                      "classifier.out_proj.weight", "classifier.out_proj.bias"}));
  EXPECT_EQ(head.parameters()[2].shape(), (Shape{3, 8}));
}

TEST(Head, StartsFromItsSeedWithSmallWeightsAndNoBias) {
  Head head(kRobertaLike, 64, 2, 0.0, 1), same(kRobertaLike, 64, 2, 0.0, 1),
      another(kRobertaLike, 64, 2, 0.0, 2);
  auto bits = [](Head& of) { return of.parameters()[0].value().bytes(); };
  auto equal = [](auto a, auto b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  EXPECT_TRUE(equal(bits(head), bits(same)));
  EXPECT_FALSE(equal(bits(head), bits(another)));
  const Tensor& weight = head.parameters()[0].value();
  double squares = 0;
  for (int64_t i = 0; i < weight.count(); ++i) squares += std::pow(weight.data<float>()[i], 2);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(weight.count())), 0.02, 0.001);
  for (int64_t i = 0; i < 64; ++i) EXPECT_EQ(head.parameters()[1].value().data<float>()[i], 0.0f);
}

TEST(Head, TrainsAllItsParametersAndPassesTheGradientOn) {
  Context context(DType::kBF16);
  context.training = true;
  RowSpace rows = make_row_space({1, 1, 1});
  Head head(kRobertaLike, 8, 2, 0.1, 1);
  context.begin_forward();
  Variable pooled = context.tape.input(drawn_tensor("pooled", {3, 8}), &rows);
  Variable logits = head.logits(context, pooled);
  EXPECT_EQ(logits.dtype(), DType::kF32);
  EXPECT_EQ(logits.shape(), (Shape{3, 2}));
  context.tape.backward(logits, drawn_tensor("seed", {3, 2}));
  EXPECT_TRUE(pooled.grad().defined());
  for (Parameter& parameter : head.parameters())
    EXPECT_TRUE(parameter.take_gradient().defined()) << parameter.name();
}

TEST(Head, DropsItsInputsOnlyWhileTraining) {
  Context context(DType::kF32);
  RowSpace rows = make_row_space({1, 1});
  Head head({}, 8, 2, 0.5, 1);
  auto logits = [&](bool training) {
    context.begin_forward();
    context.training = training;
    Variable y = head.logits(context, context.tape.constant(drawn_tensor("pooled", {2, 8}), &rows));
    return std::vector<float>(y.value().data<float>(), y.value().data<float>() + 4);
  };
  EXPECT_EQ(logits(false), logits(false));
  EXPECT_NE(logits(true), logits(false));
}

TEST(Head, GivesAnEmbeddingAndItsCosinesWithTheClasses) {
  Context context(DType::kF32);
  RowSpace rows = make_row_space({1, 1});
  Head head({.output_bias = false, .embedding = 4, .cosine = true}, 8, 3, 0.0, 1);
  std::vector<std::string> names;
  names.reserve(head.parameters().size());
  for (const Parameter& parameter : head.parameters()) names.push_back(parameter.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"embedding.weight", "embedding.bias", "classifier.weight"}));
  EXPECT_EQ(head.outputs(), 3);
  context.begin_forward();
  Variable y = head.logits(context, context.tape.constant(drawn_tensor("pooled", {2, 8}), &rows));
  ASSERT_EQ(y.shape(), (Shape{2, 4 + 3}));
  const float *first = y.value().data<float>(),
              *weight = head.parameters()[2].value().data<float>();
  double length = 0, cosine = 0, of_class = 0;
  for (int64_t i = 0; i < 4; ++i) {
    length += std::pow(first[i], 2);
    cosine += first[i] * weight[4 + i];
    of_class += std::pow(weight[4 + i], 2);
  }
  EXPECT_NEAR(length, 1, 1e-5);
  EXPECT_NEAR(first[4 + 1], cosine / std::sqrt(of_class), 1e-5);
}

TEST(HeadInput, HasANameForEachAndRefusesOthers) {
  for (HeadInput input : {HeadInput::kPooler, HeadInput::kFirst, HeadInput::kMean,
                          HeadInput::kTokens, HeadInput::kLast, HeadInput::kPyramid}) {
    EXPECT_EQ(head_input_from_name(head_input_name(input), "test"), input);
  }
  EXPECT_THROW(head_input_from_name("max", "head.json"), Error);
}

}  // namespace
}  // namespace inlay
