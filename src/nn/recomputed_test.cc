#include "nn/recomputed.h"

#include <cstring>
#include <string>

#include "autograd/gradient_check.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"

namespace inlay {
namespace {

constexpr int64_t kRecomputedChannels = 32;
constexpr int kBlocks = 6;

// Blocks that share one weight, twice in each, with dropout between.
struct Chain {
  Parameter weight{"w", drawn_tensor("w", {kRecomputedChannels, kRecomputedChannels})};
  RowSpace rows = make_row_space({29, 13, 21, 1});  // 64 rows, so that none are spare

  Variable block(Context& context, const Variable& x, int number) {
    Variable inner = linear(context, x, {.weight = &weight}, Precision::kFull);
    inner = dropout(context, activation(context, inner, Activation::kSilu), 0.2,
                    "chain" + std::to_string(number));
    inner = linear(context, inner, {.weight = &weight}, Precision::kFull);
    return add(context, x, inner);
  }

  struct Result {
    Tensor value, weight, input;
    double flops;
    std::size_t bytes;
  };
  Result run(bool recompute) {
    Context context(DType::kF32);
    context.recompute = recompute;
    context.training = true;
    context.begin_forward();
    Variable input =
        context.tape.input(drawn_tensor("x", {rows.rows(), kRecomputedChannels}), &rows);
    Variable x = input;
    for (int number = 0; number < kBlocks; ++number) {
      x = recomputed(context, x,
                     [&, number](const Variable& read) { return block(context, read, number); });
    }
    std::size_t bytes = context.arena.bytes_in_use();
    Tensor value = x.value().clone();
    context.tape.backward(x, drawn_tensor("seed", {rows.rows(), kRecomputedChannels}));
    return {value, weight.take_gradient().clone(), input.grad().clone(), context.useful_flops,
            bytes};
  }
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

TEST(Recomputed, ChangesNeitherValuesNorGradientsNorTheCountOfProducts) {
  Chain chain;
  Chain::Result kept = chain.run(false), again = chain.run(true);
  EXPECT_TRUE(same_bits(kept.value, again.value));
  EXPECT_TRUE(same_bits(kept.weight, again.weight));
  EXPECT_TRUE(same_bits(kept.input, again.input));
  EXPECT_EQ(kept.flops, again.flops);
}

TEST(Recomputed, KeepsOnlyWhatBlocksRead) {
  Chain chain;
  std::size_t one =
      static_cast<std::size_t>(chain.rows.rows() * kRecomputedChannels) * sizeof(float);
  // Of each block an input, and room for the tape's own records.
  EXPECT_LT(chain.run(true).bytes, (kBlocks + 1) * (one + 2048));
  EXPECT_GT(chain.run(false).bytes, kBlocks * 3 * one);
}

// What a block is made of cannot be told before it is recorded, so the first one is.
TEST(Recomputed, RunsABlockAsItIsWhereItsInputHasNoGradient) {
  Chain chain;
  Context context(DType::kF32);
  context.recompute = true;
  context.begin_forward();
  int runs = 0;
  Variable x = context.tape.constant(drawn_tensor("x", {64, kRecomputedChannels}), &chain.rows);
  for (int number = 0; number < 2; ++number) {
    x = recomputed(context, x, [&, number](const Variable& read) {
      ++runs;
      return chain.block(context, read, number);
    });
  }
  EXPECT_EQ(runs, 2);
  context.tape.backward(x, drawn_tensor("seed", {64, kRecomputedChannels}));
  EXPECT_EQ(runs, 3);
  EXPECT_TRUE(chain.weight.take_gradient().defined());
}

TEST(Recomputed, LeavesTheContextAsItWasWhenABlockFails) {
  Chain chain;
  Context context(DType::kF32);
  context.recompute = true;
  context.begin_forward();
  Variable x = context.tape.input(drawn_tensor("x", {64, kRecomputedChannels}), &chain.rows);
  EXPECT_THROW(
      recomputed(context, x,
                 [](const Variable&) -> Variable { fail(ErrorKind::kInput, "no such block"); }),
      Error);
  EXPECT_TRUE(context.tape.recording());
  EXPECT_EQ(context.uses, nullptr);
}

}  // namespace
}  // namespace inlay
