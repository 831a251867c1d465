// Embedding rows, one element at a time, computed in T (float or double).
#pragma once

#include <algorithm>

#include "tensor/kernels/embedding.h"

namespace inlay::kernels {

template <class T>
void embedding_gather_reference(Input table, const int32_t* ids, int64_t tokens, int64_t channels,
                                Output dst) {
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      dst.store(t * channels + c, table.load<T>(ids[t] * channels + c));
    }
  }
}

template <class T>
void bert_embedding_gather_reference(const BertEmbedding& args) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < args.tokens; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      T sum = args.word.load<T>(args.ids[t] * channels + c) +
              args.position.load<T>(args.positions[t] * channels + c);
      if (args.type) {
        const int64_t type = args.types != nullptr ? args.types[t] : 0;
        sum += args.type.load<T>(type * channels + c);
      }
      args.dst.store(t * channels + c, sum);
    }
  }
}

template <class T>
void embedding_grad_reference(const EmbeddingGrad& args) {
  for (int64_t i = 0; i < args.unique_count; ++i) {
    for (int64_t c = 0; c < args.channels; ++c) {
      T sum = 0;
      for (int64_t t = args.first; t < args.last; ++t) {
        if (args.ids[t] == args.unique_ids[i]) {
          sum += args.grad_dst.load<T>(t * args.channels + c);
        }
      }
      args.grad_rows.store(i * args.channels + c, sum);
    }
  }
}

}  // namespace inlay::kernels
