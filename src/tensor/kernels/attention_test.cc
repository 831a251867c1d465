#include "tensor/kernels/attention.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <utility>
#include <vector>

#include "tensor/kernels/attention_reference.h"
#include "tensor/kernels/kernel_test.h"

namespace inlay::kernels {
namespace {

// A ragged batch with random numbers and everything that forward and backward write.
struct Batch {
  int64_t heads = 2;
  int64_t kv_heads = 2;
  int64_t depth = 16;
  std::vector<std::pair<int64_t, int64_t>> lengths = {};  // queries and keys of each sequence
  bool causal = false;
  int64_t window = 0;
  float soft_cap = 0;
  bool biased = false;
  DType dtype = DType::kF32;
  double deviation = 1.0;

  std::vector<int64_t> query_offsets = {0};
  std::vector<int64_t> key_offsets = {0};
  Elements q = {}, k = {}, v = {}, out_grad = {}, bias = {};
  Elements out = {}, lse = {}, dq = {}, dk = {}, dv = {}, dbias = {};
  int64_t longest_query = 0, longest_key = 0;

  Batch& fill() {
    for (auto [queries, keys] : lengths) {
      query_offsets.push_back(query_offsets.back() + queries);
      key_offsets.push_back(key_offsets.back() + keys);
      longest_query = std::max(longest_query, queries);
      longest_key = std::max(longest_key, keys);
    }
    const int64_t wide = query_offsets.back() * heads * depth,
                  narrow = key_offsets.back() * kv_heads * depth;
    const int64_t square = biased ? heads * longest_query * longest_key : 0;
    q = Elements::normal(dtype, wide, "q", deviation);
    k = Elements::normal(dtype, narrow, "k");
    v = Elements::normal(dtype, narrow, "v");
    out_grad = Elements::normal(dtype, wide, "out_grad");
    bias = Elements::normal(DType::kF32, square, "bias");
    clear(dtype, DType::kF32);
    return *this;
  }

  void clear(DType element, DType statistic) {
    out = Elements::constant(element, q.count(), 7);
    lse = Elements::constant(statistic, heads * query_offsets.back(), 7);
    dq = Elements::constant(element, q.count(), 7);
    dk = Elements::constant(element, k.count(), 7);
    dv = Elements::constant(element, v.count(), 7);
    dbias = Elements::constant(statistic, bias.count(), 1);
  }

  AttentionArgs args() {
    return {.heads = heads,
            .kv_heads = kv_heads,
            .head_dim = depth,
            .scale = 1.0f / std::sqrt(static_cast<float>(depth)),
            .causal = causal,
            .window = window,
            .soft_cap = soft_cap,
            .dtype = dtype,
            .query_offsets = query_offsets,
            .key_offsets = key_offsets,
            .q = q.data(),
            .k = k.data(),
            .v = v.data(),
            .out = out.data(),
            .q_stride = heads * depth,
            .k_stride = kv_heads * depth,
            .v_stride = kv_heads * depth,
            .out_stride = heads * depth,
            .bias = biased ? bias.data() : nullptr,
            .bias_head_stride = longest_query * longest_key,
            .bias_query_stride = longest_key,
            .lse = lse.data()};
  }

  AttentionGradArgs grad_args() {
    return {.forward = args(),
            .out_grad = out_grad.data(),
            .out_grad_stride = heads * depth,
            .dq = dq.data(),
            .dk = dk.data(),
            .dv = dv.data(),
            .dq_stride = heads * depth,
            .dk_stride = kv_heads * depth,
            .dv_stride = kv_heads * depth,
            .dbias = biased ? dbias.data() : nullptr,
            .dbias_head_stride = longest_query * longest_key,
            .dbias_query_stride = longest_key};
  }

  Batch& run() {
    std::vector<std::byte> scratch(attention_scratch_bytes(args()));
    attention_forward(args(), scratch);
    return run_backward(grad_args());
  }
  Batch& run_backward(const AttentionGradArgs& grads) {
    std::vector<std::byte> scratch(attention_backward_scratch_bytes(grads.forward));
    attention_backward(grads, scratch);
    return *this;
  }

  // The same batch in f64 through the reference.
  Batch oracle() const {
    Batch twin = *this;
    twin.dtype = DType::kF64;
    for (Elements* each : {&twin.q, &twin.k, &twin.v, &twin.out_grad, &twin.bias})
      *each = each->as(DType::kF64);
    twin.clear(DType::kF64, DType::kF64);
    return twin.run();
  }
};

void expect_same_as_oracle(const Batch& batch, const Batch& oracle) {
  // Errors of a score reach a probability through its exponent, and add to those of the sums;
  // differences dP - sum(dP P) cancel terms of the size of the inputs.
  const int64_t terms = batch.depth + batch.longest_key + batch.longest_query;
  // bf16 products round probabilities and score gradients on their way to a result that is rounded
  // itself.
  const double floor = batch.deviation * batch.deviation;
  expect_close("out", batch.out, oracle.out, terms, floor, 2);
  expect_close("lse", batch.lse, oracle.lse, terms, floor);
  expect_close("dq", batch.dq, oracle.dq, terms, floor, 3);
  expect_close("dk", batch.dk, oracle.dk, terms, floor, 3);
  expect_close("dv", batch.dv, oracle.dv, terms, floor, 3);
  expect_close("dbias", batch.dbias, oracle.dbias, terms, floor);
}

void check_on_every_target(Batch batch) {
  batch.fill();
  const Batch oracle = batch.oracle();
  on_every_target([&] {
    batch.clear(batch.dtype, DType::kF32);
    expect_same_as_oracle(batch.run(), oracle);
  });
}

class AttentionOfDType : public testing::TestWithParam<DType> {};

TEST_P(AttentionOfDType, MatchesTheReferenceForEveryHeadSize) {
  for (int64_t depth : {1, 7, 8, 24, 32, 33, 48, 64, 80, 100, 128}) {
    SCOPED_TRACE(depth);
    check_on_every_target(
        {.depth = depth, .lengths = {{9, 9}, {20, 20}, {1, 1}}, .dtype = GetParam()});
  }
}

TEST_P(AttentionOfDType, MatchesTheReferenceForEveryLength) {
  for (int64_t length :
       {1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 100, 128, 129, 200, 300}) {
    SCOPED_TRACE(length);
    check_on_every_target({.heads = 1,
                           .kv_heads = 1,
                           .depth = 24,
                           .lengths = {{length, length}},
                           .dtype = GetParam()});
  }
}

TEST_P(AttentionOfDType, MatchesTheReferenceAcrossSequencesOfDifferentLengths) {
  check_on_every_target(
      {.depth = 32, .lengths = {{3, 90}, {50, 1}, {0, 4}, {7, 0}, {70, 33}}, .dtype = GetParam()});
}

TEST_P(AttentionOfDType, MatchesTheReferenceWhenCausal) {
  for (int64_t keys : {1, 30, 64, 65, 150}) {
    SCOPED_TRACE(keys);
    check_on_every_target({.depth = 32,
                           .lengths = {{keys, keys}, {5, keys}, {keys + 20, keys}},
                           .causal = true,
                           .dtype = GetParam()});
  }
}

TEST_P(AttentionOfDType, MatchesTheReferenceWithBias) {
  check_on_every_target(
      {.depth = 32, .lengths = {{40, 70}, {7, 3}, {41, 33}}, .biased = true, .dtype = GetParam()});
  check_on_every_target({.depth = 8,
                         .lengths = {{90, 90}, {12, 12}},
                         .causal = true,
                         .biased = true,
                         .dtype = GetParam()});
}

TEST_P(AttentionOfDType, MatchesTheReferenceWithinAWindow) {
  for (int64_t window : {1, 4, 33, 1000}) {
    SCOPED_TRACE(window);
    check_on_every_target({.depth = 32,
                           .lengths = {{70, 70}, {5, 90}, {3, 3}},
                           .causal = true,
                           .window = window,
                           .biased = window == 4,
                           .dtype = GetParam()});
  }
}

TEST_P(AttentionOfDType, MatchesTheReferenceWithCappedScores) {
  for (float cap : {0.3f, 1.5f}) {
    for (bool biased : {false, true}) {
      SCOPED_TRACE(testing::Message() << cap << (biased ? " with bias" : ""));
      check_on_every_target({.depth = 32,
                             .lengths = {{40, 70}, {7, 3}, {41, 33}},
                             .causal = true,
                             .window = 20,
                             .soft_cap = cap,
                             .biased = biased,
                             .dtype = GetParam()});
    }
  }
}

TEST(AttentionReference, AttendsTheLastKeysOfItsWindow) {
  // Equal scores: a query takes the mean of the values that it attends.
  const std::vector<double> q(4), k(4), v = {1, 2, 4, 8};
  std::vector<double> out(4);
  const std::vector<int64_t> offsets = {0, 4};
  attention_reference_forward<double>({.heads = 1,
                                       .kv_heads = 1,
                                       .head_dim = 1,
                                       .causal = true,
                                       .window = 2,
                                       .dtype = DType::kF64,
                                       .query_offsets = offsets,
                                       .key_offsets = offsets,
                                       .q = q.data(),
                                       .k = k.data(),
                                       .v = v.data(),
                                       .out = out.data(),
                                       .q_stride = 1,
                                       .k_stride = 1,
                                       .v_stride = 1,
                                       .out_stride = 1});
  EXPECT_EQ(out, (std::vector<double>{1, 1.5, 3, 6}));
}

TEST_P(AttentionOfDType, MatchesTheReferenceWithGroupedHeads) {
  check_on_every_target({.heads = 6,
                         .kv_heads = 2,
                         .depth = 40,
                         .lengths = {{33, 33}, {9, 50}},
                         .causal = true,
                         .dtype = GetParam()});
}

TEST_P(AttentionOfDType, HasTheSameBitsOnAnyNumberOfThreads) {
  Batch one{.heads = 3,
            .kv_heads = 3,
            .depth = 40,
            .lengths = {{70, 70}, {5, 5}, {33, 33}},
            .biased = true,
            .dtype = GetParam()};
  one.fill();
  Batch three = one;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  one.run();
  omp_set_num_threads(3);
  three.run();
  omp_set_num_threads(threads);
  EXPECT_TRUE(one.out == three.out && one.lse == three.lse);
  EXPECT_TRUE(one.dq == three.dq && one.dk == three.dk && one.dv == three.dv &&
              one.dbias == three.dbias);
}

TEST_P(AttentionOfDType, HasTheSameBitsWithoutTheOtherSequences) {
  Batch both{.heads = 1,
             .kv_heads = 1,
             .depth = 24,
             .lengths = {{37, 37}, {150, 150}},
             .dtype = GetParam()};
  Batch alone{.heads = 1, .kv_heads = 1, .depth = 24, .lengths = {{37, 37}}, .dtype = GetParam()};
  both.fill().run();
  alone.fill().run();
  const auto same = [](const Elements& part, const Elements& whole) {
    const std::size_t bytes = static_cast<std::size_t>(part.count()) * dtype_size(part.dtype());
    return std::equal(part.data(), part.data() + bytes, whole.data());
  };
  EXPECT_TRUE(same(alone.out, both.out) && same(alone.lse, both.lse));
  EXPECT_TRUE(same(alone.dq, both.dq) && same(alone.dk, both.dk) && same(alone.dv, both.dv));
}

TEST_P(AttentionOfDType, SkipsGradientsThatAreNotAskedForWithoutChangingTheOthers) {
  Batch all{.depth = 24, .lengths = {{37, 45}}, .dtype = GetParam()};
  all.fill();
  Batch some = all;
  all.run();
  for (int asked = 0; asked < 3; ++asked) {
    some.run();
    some.clear(GetParam(), DType::kF32);
    some.lse = all.lse;
    AttentionGradArgs args = some.grad_args();
    if (asked != 0) args.dq = nullptr;
    if (asked != 1) args.dk = nullptr;
    if (asked != 2) args.dv = nullptr;
    some.run_backward(args);
    const Elements untouched = Elements::constant(GetParam(), some.dq.count(), 7);
    EXPECT_TRUE(some.dq == (asked == 0 ? all.dq : untouched));
    EXPECT_TRUE(asked == 1 ? some.dk == all.dk : some.dk.values()[0] == 7);
    EXPECT_TRUE(asked == 2 ? some.dv == all.dv : some.dv.values()[0] == 7);
  }
}

TEST_P(AttentionOfDType, WritesZerosForQueriesThatAttendNothing) {
  Batch batch{.depth = 16, .lengths = {{6, 2}, {3, 0}}, .causal = true, .dtype = GetParam()};
  batch.fill().run();
  for (int64_t t :
       {0, 1, 2, 3, 6, 7, 8}) {  // of six queries and two keys only the last two queries attend
    for (int64_t c = 0; c < 32; ++c) {
      EXPECT_EQ(batch.out.values()[t * 32 + c], 0.0);
      EXPECT_EQ(batch.dq.values()[t * 32 + c], 0.0);
    }
    EXPECT_EQ(batch.lse.values()[t], -std::numeric_limits<double>::infinity());
  }
}

INSTANTIATE_TEST_SUITE_P(Elements, AttentionOfDType, testing::Values(DType::kF32, DType::kBF16),
                         [](const auto& info) { return std::string(dtype_name(info.param)); });

TEST(Attention, IsExactlyTheReferenceInDouble) {
  Batch batch{.heads = 2, .kv_heads = 1, .depth = 5, .lengths = {{4, 6}}, .causal = true};
  const Batch oracle = batch.fill().oracle();
  Batch again = batch.oracle();
  attention_reference_forward<double>(again.args());
  EXPECT_TRUE(again.out == oracle.out);
}

TEST(Attention, SurvivesScoresThatOverflowAnExponential) {
  check_on_every_target({.depth = 16, .lengths = {{20, 20}}, .deviation = 50.0});
}

TEST(Attention, GivesMaskedKeysExactlyNoWeight) {
  Batch batch{.heads = 1, .kv_heads = 1, .depth = 8, .lengths = {{5, 9}}, .biased = true};
  batch.fill();
  std::vector<double> mask = batch.bias.values();
  for (int64_t i = 0; i < 5; ++i) mask[i * 9 + 4] = -std::numeric_limits<double>::infinity();
  for (int64_t j = 0; j < 9; ++j) mask[2 * 9 + j] = -std::numeric_limits<double>::infinity();
  batch.bias = Elements(DType::kF32, mask);
  on_every_target([&] {
    batch.clear(DType::kF32, DType::kF32);
    batch.run();
    for (int64_t c = 0; c < 8; ++c) {
      EXPECT_EQ(batch.dk.values()[4 * 8 + c], 0.0);
      EXPECT_EQ(batch.dv.values()[4 * 8 + c], 0.0);
      EXPECT_EQ(batch.out.values()[2 * 8 + c], 0.0);
      EXPECT_EQ(batch.dq.values()[2 * 8 + c], 0.0);
    }
  });
}

TEST(Attention, CarriesNaNToTheRowsThatSeeIt) {
  Batch batch{.heads = 1, .kv_heads = 1, .depth = 8, .lengths = {{3, 3}, {3, 3}}};
  batch.fill();
  std::vector<double> keys = batch.k.values();
  keys[0] = std::numeric_limits<double>::quiet_NaN();
  batch.k = Elements(DType::kF32, keys);
  on_every_target([&] {
    batch.run();
    for (int64_t t = 0; t < 6; ++t) EXPECT_EQ(std::isnan(batch.out.values()[t * 8]), t < 3) << t;
  });
}

TEST(Attention, ReadsAndWritesFusedRows) {
  Batch batch{.depth = 24, .lengths = {{11, 11}, {20, 20}}};
  batch.fill();
  const int64_t width = 48, tokens = 31;
  std::vector<double> fused;  // rows q | k | v
  for (int64_t t = 0; t < tokens; ++t) {
    for (const Elements* part : {&batch.q, &batch.k, &batch.v}) {
      const std::vector<double> values = part->values();
      fused.insert(fused.end(), values.begin() + t * width, values.begin() + (t + 1) * width);
    }
  }
  Elements qkv(DType::kF32, fused), grads = Elements::constant(DType::kF32, tokens * 3 * width, 7);
  auto* in = reinterpret_cast<float*>(qkv.data());
  auto* out = reinterpret_cast<float*>(grads.data());
  Batch apart = batch;
  apart.run();
  AttentionGradArgs args = batch.grad_args();
  args.forward.q = in, args.forward.k = in + width, args.forward.v = in + 2 * width;
  args.dq = out, args.dk = out + width, args.dv = out + 2 * width;
  args.forward.q_stride = args.forward.k_stride = args.forward.v_stride = 3 * width;
  args.dq_stride = args.dk_stride = args.dv_stride = 3 * width;
  std::vector<std::byte> scratch(attention_scratch_bytes(args.forward));
  attention_forward(args.forward, scratch);
  batch.run_backward(args);
  EXPECT_TRUE(batch.out == apart.out);
  const std::vector<double> together = grads.values(), dq = apart.dq.values(),
                            dv = apart.dv.values();
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t c = 0; c < width; ++c) {
      EXPECT_EQ(together[t * 3 * width + c], dq[t * width + c]);
      EXPECT_EQ(together[t * 3 * width + 2 * width + c], dv[t * width + c]);
    }
  }
}

TEST(Attention, WorksWithScratchForOneThreadOnly) {
  Batch batch{.depth = 32, .lengths = {{30, 30}, {12, 12}}};
  batch.fill().run();
  Batch narrow = batch;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<std::byte> scratch(attention_scratch_bytes(narrow.args()));
  omp_set_num_threads(threads);
  attention_forward(narrow.args(), scratch);
  EXPECT_TRUE(narrow.out == batch.out);
}

}  // namespace
}  // namespace inlay::kernels
