#include "autograd/ops/attention.h"

#include <cmath>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

struct Kind {
  int64_t heads = 2;
  int64_t kv_heads = 2;
  RowsOf keys = RowsOf::kTokens;
  bool causal = false;
  int64_t window = 0;
  float soft_cap = 0;
  bool biased = false;
  bool key_bias = false;
};

OpCase attention_case(int64_t channels, Kind kind) {
  constexpr int64_t kLongest = 8;
  int64_t head = channels / kind.heads, kv_channels = kind.kv_heads * head;
  OpCase op{.inputs = {{channels, RowsOf::kTokens, Precision::kCompute},
                       {kv_channels, kind.keys, Precision::kCompute},
                       {kv_channels, kind.keys, Precision::kCompute}}};
  if (kind.biased) op.parameters = {{kind.heads, kLongest, kLongest}};
  if (kind.biased || kind.key_bias) {
    op.lengths = {5, 1, 3, 8, 2, 7, 4, 6};
  }
  op.function = [=](OpRun& run) {
    AttentionShape shape{.heads = kind.heads,
                         .kv_heads = kind.kv_heads,
                         .scale = 0.5f,
                         .causal = kind.causal,
                         .window = kind.window,
                         .soft_cap = kind.soft_cap};
    if (kind.key_bias) {
      shape.key_bias = tensor_of({kLongest}, run.context.dtype(Precision::kFull),
                                 draws("key bias", kLongest).data());
    }
    return attention(run.context, run.x[0], run.x[1], run.x[2], run.tokens.example_offsets,
                     run.space(kind.keys).example_offsets, shape,
                     kind.biased ? &run.p[0] : nullptr);
  };
  return op;
}

void expect_contract(Kind kind) {
  expect_op_contract([&](int64_t channels) { return attention_case(channels, kind); });
}

TEST(Attention, AttendsWithinRaggedExamples) { expect_contract({}); }

TEST(Attention, AttendsToKeysOfOtherLengths) { expect_contract({.keys = RowsOf::kKeys}); }

TEST(Attention, SharesKeyHeadsBetweenQueryHeads) { expect_contract({.heads = 4, .kv_heads = 2}); }

TEST(Attention, LooksBackOnlyWhenCausal) { expect_contract({.causal = true}); }

TEST(Attention, GivesZerosToCausalQueriesBeforeTheFirstKey) {
  expect_contract({.keys = RowsOf::kKeys, .causal = true});
}

TEST(Attention, LooksBackWithinAWindow) { expect_contract({.causal = true, .window = 2}); }

TEST(Attention, CapsItsScores) {
  for (float cap : {0.7f, 2.0f}) {
    for (bool biased : {false, true})
      expect_contract({.causal = true, .soft_cap = cap, .biased = biased});
  }
}

TEST(Attention, TrainsABiasOfTheScores) { expect_contract({.biased = true}); }

TEST(Attention, TrainsABiasOfCausalCrossScoresWithSharedKeyHeads) {
  expect_contract(
      {.heads = 4, .kv_heads = 2, .keys = RowsOf::kKeys, .causal = true, .biased = true});
}

TEST(Attention, AddsAConstantToTheScoresOfAKey) { expect_contract({.key_bias = true}); }

TEST(Attention, TakesTheLogarithmOfAFactorAsItsKeysBias) {
  // Two equal keys, of which the first counts a quarter: weights 1/5 and 4/5.
  OpContext context(DType::kF32);
  RowSpace one = make_row_space({1}), two = make_row_space({2});
  auto rows = [&](std::vector<float> values, const RowSpace& space) {
    return context.tape.constant(Tensor::of<float>({space.rows(), 1}, values), &space);
  };
  AttentionShape shape{.key_bias = Tensor::of<float>({2}, std::vector<float>{std::log(0.25f), 0})};
  Variable y = attention(context, rows({1}, one), rows({1, 1}, two), rows({10, 20}, two),
                         one.example_offsets, two.example_offsets, shape);
  EXPECT_NEAR(y.value().data<float>()[0], 18, 1e-5);
}

}  // namespace
}  // namespace inlay
