// One vector per ragged row: the mean of its tokens, the first (CLS) or the last.
//
//   pooling_forward(Pooling::kMean, {.rows = b, .channels = c, .offsets = offsets}, hidden,
//   pooled);
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

enum class Pooling { kMean, kFirst, kLast };

// Row b owns tokens [offsets[b], offsets[b + 1]).
struct RaggedRows {
  int64_t rows = 0;                  // B
  int64_t channels = 0;              // C
  const int64_t* offsets = nullptr;  // (B + 1), ascending
};

// src: (tokens, C), dst: (B, C). A row without tokens gives zeros. Tokens are added in order.
void pooling_forward(Pooling kind, const RaggedRows& ragged, Input src, Output dst);

// grad_dst: (B, C); writes the tokens [offsets[0], offsets[B]) of grad_src: (tokens, C).
void pooling_backward(Pooling kind, const RaggedRows& ragged, Input grad_dst, Output grad_src);

}  // namespace inlay::kernels
