// Rows of tables by number, and the gradient of a table.
//
//   embedding_gather(table, ids, tokens, channels, out);
//   bert_embedding_gather({.tokens = n, .channels = c, .word = w, .position = p, .ids = ids, ...});
//
// Numbers are trusted: the caller has checked them against the tables. Tables are f32, bf16 or f16.
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// dst(t, :) = table(ids[t], :).  table: (any, C), dst: (tokens, C).
void embedding_gather(Input table, const int32_t* ids, int64_t tokens, int64_t channels,
                      Output dst);

// dst(t, :) = (word(ids[t], :) + position(positions[t], :)) + type(types[t], :).
struct BertEmbedding {
  int64_t tokens = 0;
  int64_t channels = 0;                // C
  Input word;                          // (vocabulary, C)
  Input position;                      // (positions, C)
  Input type;                          // (types, C), or absent
  const int32_t* ids = nullptr;        // (tokens)
  const int32_t* positions = nullptr;  // (tokens)
  const int32_t* types = nullptr;      // (tokens), or absent for type 0 everywhere
  Output dst;                          // (tokens, C)
};

void bert_embedding_gather(const BertEmbedding& args);

// The gradient of the rows of a table that tokens [first, last) use: grad_rows(i, :) is the sum of
// grad_dst(t, :) over the tokens with ids[t] = unique_ids[i], added in token order. Overwrites;
// single-threaded. REQUIRES: unique_ids is ascending and holds every ids[t].
struct EmbeddingGrad {
  int64_t first = 0;
  int64_t last = 0;
  int64_t channels = 0;                 // C
  Input grad_dst;                       // (tokens, C)
  const int32_t* ids = nullptr;         // (tokens)
  const int32_t* unique_ids = nullptr;  // (unique_count)
  int64_t unique_count = 0;
  Output grad_rows;  // (unique_count, C), f32
};

void embedding_grad(const EmbeddingGrad& args);

}  // namespace inlay::kernels
