#include "tensor/kernels/embedding.h"

#include "tensor/kernels/embedding_reference.h"

namespace inlay::kernels {

void embedding_gather(Input table, const int32_t* ids, int64_t tokens, int64_t channels,
                      Output dst) {
  if (table.dtype() == DType::kF64)
    return embedding_gather_reference<double>(table, ids, tokens, channels, dst);
  embedding_gather_reference<float>(table, ids, tokens, channels, dst);
}

void bert_embedding_gather(const BertEmbedding& args) {
  if (args.word.dtype() == DType::kF64) return bert_embedding_gather_reference<double>(args);
  bert_embedding_gather_reference<float>(args);
}

void embedding_grad(const EmbeddingGrad& args) {
  if (args.grad_dst.dtype() == DType::kF64) return embedding_grad_reference<double>(args);
  embedding_grad_reference<float>(args);
}

}  // namespace inlay::kernels
