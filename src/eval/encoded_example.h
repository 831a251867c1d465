// An example as the model reads it: token ids, and targets by number.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "models/model.h"
#include "models/token_batch.h"
#include "text/tokenizer.h"

namespace inlay {

struct EncodedExample {
  TokenSequence tokens;
  const Example* source = nullptr;
  std::size_t index = 0;  // of source in its data set
  std::vector<int32_t>
      token_tags;  // one per token, kIgnoredLabel where none counts; token classification only
  std::vector<int32_t>
      word_of_token;  // the word each token came from, -1 for special tokens; with words only
  std::vector<int32_t> answers;  // the token that is wanted at each of tokens.asked, kIgnoredLabel
                                 // where nobody knows; masked LM only
  bool truncated = false;
};

// Encodes all examples, in parallel. `max_tokens` counts special tokens. A text that is not UTF-8
// is kInput with file and line. An id beyond the model's vocabulary is kInput: the tokenizer
// belongs to another model.
std::vector<EncodedExample> encode_examples(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens);

// The longest input: the least of what the model has positions for, what the tokenizer's files say,
// and `wanted` if > 0.
int64_t longest_input(const Tokenizer& tokenizer, const BaseFacts& base, int64_t wanted);

}  // namespace inlay
