#include "autograd/ops/embedding.h"

#include <array>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

constexpr int64_t kRows = 7;

OpCase embedding_case(int64_t channels, bool trains_words, bool trains_positions) {
  OpCase op;
  op.parameters.assign(static_cast<std::size_t>(trains_words + trains_positions),
                       Shape{kRows, channels});
  EmbeddingTable words{drawn_tensor("words", {kRows, channels}, DType::kBF16)};
  EmbeddingTable positions{drawn_tensor("positions", {kRows, channels})};
  op.function = [=](OpRun& run) {
    EmbeddingTable first = words, second = positions;
    if (trains_words) first.trained = &run.p.front();
    if (trains_positions) second.trained = &run.p.back();
    std::array<EmbeddingLookup, 2> lookups{
        {{first, &run.numbers(run.tokens, kRows)}, {second, &run.numbers(run.tokens, 3)}}};
    return embedding_sum(run.context, lookups, &run.tokens);
  };
  return op;
}

TEST(EmbeddingSum, TrainsOneOfItsTables) {
  expect_op_contract([](int64_t channels) { return embedding_case(channels, true, false); });
  expect_op_contract([](int64_t channels) { return embedding_case(channels, false, true); });
}

TEST(EmbeddingSum, TrainsAllOfItsTables) {
  expect_op_contract([](int64_t channels) { return embedding_case(channels, true, true); });
}

TEST(EmbeddingSum, AddsRowsOfFrozenTablesWithoutRecording) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({2});
  std::vector<int32_t> ids{2, 0};
  Tensor table = Tensor::of<float>({3, 1}, std::vector<float>{1, 10, 100});
  std::array<EmbeddingLookup, 2> lookups{{{{table}, &ids}, {{table}, &ids}}};
  Variable sum = embedding_sum(context, lookups, &rows);
  EXPECT_FALSE(sum.requires_grad());
  EXPECT_EQ(sum.value().data<float>()[0], 200.0f);
  EXPECT_EQ(sum.value().data<float>()[1], 2.0f);
}

}  // namespace
}  // namespace inlay
