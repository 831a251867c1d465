// An example as the model reads it: token ids, and targets by number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "data/chat/encode_conversation.h"
#include "data/dataset.h"
#include "models/model.h"
#include "models/token_batch.h"
#include "text/tokenizer.h"

namespace inlay {

// A sequence of question answering: the part of the context that fits beside the question.
struct ContextWindow {
  int32_t first = 0;  // the first token of the context
  // [begin, end) in characters (code points) of the whole context, per token of it in this window.
  std::vector<std::pair<int32_t, int32_t>> characters;
  // The first and last token of the answer; 0, the first token, where it is not in this window.
  int32_t answer_start = 0, answer_end = 0;
};

// What is mixed into a picture.
struct Mix {
  const Example* partner = nullptr;
  float share = 1;  // of the picture's own target; the partner's has the rest
};

struct EncodedExample {
  TokenSequence tokens;
  std::vector<TokenSequence> further;  // of an example that is several sequences
  const Example* source = nullptr;
  std::size_t index = 0;  // of source in its data set
  std::vector<int32_t>
      token_tags;  // one per token, kIgnoredLabel where none counts; token classification only
  std::vector<int32_t>
      word_of_token;  // the word each token came from, -1 for special tokens; with words only
  std::vector<int32_t> answers;  // the token that is wanted at each place asked about, sequence by
                                 // sequence, kIgnoredLabel where nobody knows; language modelling
                                 // only
  // Per sequence, log p of its answers under the base alone (eval/answer_pair.h); empty where the
  // task does not refer to the base.
  std::vector<double> reference;
  std::vector<ContextWindow> windows;  // one per sequence; question answering only
  bool truncated = false;
  bool mirrored = false;  // a picture that is seen left to right
  std::optional<Mix> mix = {};

  std::size_t sequence_count() const { return 1 + further.size(); }
  int64_t token_count() const;  // of all sequences
};

using ExampleSpan = std::span<const EncodedExample* const>;

// All sequences of the examples end to end. The examples must outlive the call only. `place` says
// where the first stands; its `sequences` are set here.
TokenBatch make_example_batch(ExampleSpan examples, BatchPlace place);

// How conversations and texts become sequences, and what became of them.
struct LanguageReading {
  LossOn loss = LossOn::kAssistant;
  TooLong too_long = TooLong::kSplit;
  EncodingCounts* counts = nullptr;  // null: nobody asks
};

// Encodes all examples, in parallel: one of each, in order, or, for kLanguage and kPreference, as
// many as encode_language() and encode_preferences() make of each. `max_tokens` counts special
// tokens. A text that is not UTF-8 is kInput with file and line. An id beyond the model's
// vocabulary is kInput: the tokenizer belongs to another model.
std::vector<EncodedExample> encode_examples(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading = {});

// The longest input: the least of what the model has positions for, what the tokenizer's files say,
// and `wanted` if > 0. Virtual tokens may take some of those positions.
int64_t longest_input(const Tokenizer& tokenizer, const BaseFacts& base, int64_t wanted,
                      int64_t positions_taken);

}  // namespace inlay
