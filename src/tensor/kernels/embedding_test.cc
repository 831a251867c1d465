#include "tensor/kernels/embedding.h"

#include "tensor/kernels/embedding_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr int32_t kIds[] = {4, 0, 9, 4, 2, 9, 9};
constexpr int32_t kPositions[] = {0, 1, 2, 3, 0, 1, 2};
constexpr int32_t kTypes[] = {0, 0, 1, 1, 0, 1, 0};
constexpr int64_t kTokens = 7;

TEST(Embedding, GatherMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (DType table_type : {DType::kF32, DType::kBF16, DType::kF16}) {
        const Elements table = Elements::normal(table_type, 10 * channels, "table");
        Elements found = unset(DType::kF32, kTokens * channels), wanted = found;
        embedding_gather(in(table), kIds, kTokens, channels, out(found));
        embedding_gather_reference<float>(in(table), kIds, kTokens, channels, out(wanted));
        EXPECT_TRUE(found == wanted) << channels << " channels of " << dtype_name(table_type);
      }
    }
  });
}

TEST(Embedding, BertSumIsTheReferenceBitForBit) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      const Elements word = Elements::normal(DType::kBF16, 10 * channels, "word");
      const Elements position = Elements::normal(DType::kF16, 4 * channels, "position");
      const Elements type = Elements::normal(DType::kF32, 2 * channels, "type");
      Elements found = unset(DType::kF32, kTokens * channels), wanted = found;
      BertEmbedding args{.tokens = kTokens,
                         .channels = channels,
                         .word = in(word),
                         .position = in(position),
                         .type = in(type),
                         .ids = kIds,
                         .positions = kPositions,
                         .types = kTypes,
                         .dst = out(found)};
      bert_embedding_gather(args);
      args.dst = out(wanted);
      bert_embedding_gather_reference<float>(args);
      EXPECT_TRUE(found == wanted);
      args.type = nullptr;
      bert_embedding_gather_reference<float>(args);
      args.dst = out(found);
      bert_embedding_gather(args);
      EXPECT_TRUE(found == wanted) << "without types";
    }
  });
}

TEST(Embedding, GradOfAChunkIsTheReferenceBitForBit) {
  const std::vector<int32_t> unique = {2, 4, 9};  // of tokens [2, 7)
  on_every_target([&] {
    for (int64_t channels : kWidths) {
      const Elements grad = Elements::normal(DType::kF32, kTokens * channels, "grad");
      Elements found = unset(DType::kF32, 3 * channels), wanted = found;
      EmbeddingGrad args{.first = 2,
                         .last = 7,
                         .channels = channels,
                         .grad_dst = in(grad),
                         .ids = kIds,
                         .unique_ids = unique.data(),
                         .unique_count = 3,
                         .grad_rows = out(found)};
      embedding_grad(args);
      args.grad_rows = out(wanted);
      embedding_grad_reference<float>(args);
      EXPECT_TRUE(found == wanted);
    }
  });
}

TEST(Embedding, GatherGivesTheSameBitsEverywhere) {
  std::vector<int32_t> ids(500);
  for (std::size_t t = 0; t < ids.size(); ++t) ids[t] = static_cast<int32_t>(t * 7 % 10);
  const Elements table = Elements::normal(DType::kBF16, 10 * 130, "table");
  expect_same_bits_everywhere([&] {
    Elements rows = unset(DType::kF32, 500 * 130);
    embedding_gather(in(table), ids.data(), 500, 130, out(rows));
    return rows;
  });
}

}  // namespace
}  // namespace inlay::kernels
