#include "eval/encoded_example.h"

#include <algorithm>
#include <exception>
#include <mutex>

#include "autograd/ops/losses.h"
#include "eval/example_sequences.h"
#include "eval/fit_to_base.h"
#include "eval/language_sequences.h"

namespace inlay {
namespace {

struct EncodeLimits {
  const BaseFacts& base;
  int64_t max_tokens;
};

Encoding encode_text(const Example& example, const Tokenizer& tokenizer,
                     const EncodeOptions& options) {
  if (!example.words.empty()) return tokenizer.encode_words(example.words, options);
  if (example.text_pair.empty()) return tokenizer.encode(example.text, options);
  return tokenizer.encode(example.text, example.text_pair, options);
}

// The first token of each word carries the word's tag; the others do not count.
std::vector<int32_t> tags_per_token(const Example& example, const std::vector<int32_t>& word_ids) {
  std::vector<int32_t> tags(word_ids.size(), kIgnoredLabel);
  int32_t previous = -1;
  for (std::size_t t = 0; t < word_ids.size(); ++t) {
    int32_t word = word_ids[t];
    if (word >= 0 && word != previous && !example.tag_ids.empty())
      tags[t] = example.tag_ids[static_cast<std::size_t>(word)];
    previous = word;
  }
  return tags;
}

// One sequence: a text, a pair or words.
void encode_plainly(EncodedExample& encoded, const Tokenizer& tokenizer, int64_t max_tokens) {
  const Example& example = *encoded.source;
  Encoding encoding = encode_text(example, tokenizer, {.max_length = max_tokens});
  encoded.truncated = encoding.tokens_before_truncation > static_cast<int64_t>(encoding.ids.size());
  if (!example.words.empty()) {
    encoded.token_tags = tags_per_token(example, encoding.word_ids);
    encoded.word_of_token = encoding.word_ids;
  }
  encoded.tokens = {std::move(encoding.ids), std::move(encoding.type_ids), {}};
}

void fit_to_base(EncodedExample& encoded, const BaseFacts& base) {
  fit_to_base(encoded.tokens, base);
  for (TokenSequence& sequence : encoded.further) fit_to_base(sequence, base);
}

EncodedExample encode_one(const Dataset& data, std::size_t index, const Tokenizer& tokenizer,
                          const EncodeLimits& limits) {
  EncodedExample encoded;
  encoded.source = &data.examples[index];
  encoded.index = index;
  if (of_several_texts(data.kind)) {
    encode_sequences(encoded, tokenizer, data.kind, limits.max_tokens);
  } else {
    encode_plainly(encoded, tokenizer, limits.max_tokens);
  }
  fit_to_base(encoded, limits.base);
  return encoded;
}

}  // namespace

int64_t EncodedExample::token_count() const {
  int64_t count = tokens.token_count();
  for (const TokenSequence& sequence : further) count += sequence.token_count();
  return count;
}

TokenBatch make_example_batch(ExampleSpan examples, BatchPlace place) {
  std::vector<const TokenSequence*> sequences;
  std::vector<int64_t> counts;
  counts.reserve(examples.size());
  for (const EncodedExample* example : examples) {
    sequences.push_back(&example->tokens);
    for (const TokenSequence& sequence : example->further) sequences.push_back(&sequence);
    counts.push_back(static_cast<int64_t>(example->sequence_count()));
  }
  place.sequences = counts;
  return make_token_batch(sequences, place);
}

std::vector<EncodedExample> encode_examples(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading) {
  if (data.kind == TaskKind::kLanguage || data.kind == TaskKind::kPreference) {
    std::vector<EncodedExample> pieces =
        data.kind == TaskKind::kLanguage
            ? encode_language(data, tokenizer, base, max_tokens, reading)
            : encode_preferences(data, tokenizer, base, max_tokens, reading.counts);
    for (EncodedExample& piece : pieces) fit_to_base(piece, base);
    return pieces;
  }
  std::vector<EncodedExample> encoded(data.examples.size());
  // The first failing example is reported, whichever thread meets it.
  std::mutex lock;
  std::size_t failed = data.examples.size();
  std::string message;
#pragma omp parallel for schedule(static)
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    try {
      encoded[i] = encode_one(data, i, tokenizer, {base, max_tokens});
    } catch (const std::exception& error) {
      std::lock_guard guard(lock);
      if (i < failed) {
        failed = i;
        message = error.what();
      }
    }
  }
  if (failed < data.examples.size()) fail(ErrorKind::kInput, "{}: {}", data.place(failed), message);
  return encoded;
}

int64_t longest_input(const Tokenizer& tokenizer, const BaseFacts& base, int64_t wanted,
                      int64_t positions_taken) {
  int64_t room = base.max_tokens - positions_taken;
  require(wanted <= base.max_tokens, ErrorKind::kUsage,
          "max_length {} exceeds the {} positions of the model", wanted, base.max_tokens);
  require(wanted <= room, ErrorKind::kUsage,
          "max_length {} exceeds the {} positions that {} virtual tokens leave of the model's {}; "
          "use {} or less",
          wanted, room, positions_taken, base.max_tokens, room);
  auto special = static_cast<int64_t>(tokenizer.encode("").size());
  require(wanted <= 0 || wanted > special, ErrorKind::kUsage,
          "max_length {} leaves no room for text beside {} special tokens", wanted, special);
  if (wanted > 0) return wanted;
  return std::min(room, tokenizer.max_length().value_or(room));
}

}  // namespace inlay
