// A ragged batch of token sequences: the tokens of all examples laid end to end, with no padding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/row_space.h"

namespace inlay {

// One encoded example, as a tokenizer gives it. `types` may be empty for families without token
// types.
struct TokenSequence {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  // Places, ascending, of the tokens that the model is asked about (masked LM); empty where it is
  // asked about all or about the text as a whole.
  std::vector<int32_t> asked;
};

struct TokenBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  std::vector<int32_t> positions;  // of each token, as the position table counts
  RowSpace tokens;                 // one row per token
  RowSpace examples;               // one row per example, for what follows pooling
  std::vector<int64_t> asked;      // rows of `tokens` that are asked about, ascending
  RowSpace asked_tokens;           // one row per asked token

  int64_t example_count() const { return tokens.examples(); }
};

struct BatchPlace {
  int64_t first = 0;  // the first example's place in the effective batch, a multiple of chunk
  int64_t chunk = 1;  // examples whose gradients are summed before the tree: 1 for adapters, 4 for
                      // full training
  int64_t first_position = 0;  // where the model's position table begins to count (BaseFacts)
};

TokenBatch make_token_batch(std::span<const TokenSequence* const> sequences,
                            const BatchPlace& place);

}  // namespace inlay
