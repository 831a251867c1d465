#include "eval/language_sequences.h"

#include <optional>
#include <utility>

namespace inlay {
namespace {

EncodedExample example_of(TrainingSequence sequence, const Dataset& data) {
  EncodedExample encoded;
  encoded.index = sequence.source;
  encoded.source = &data.examples[sequence.source];
  for (std::size_t t = 1; t < sequence.ids.size(); ++t) {
    if (sequence.in_loss[t] == 0) continue;
    encoded.tokens.asked.push_back(static_cast<int32_t>(t) - 1);
    encoded.answers.push_back(sequence.ids[t]);
  }
  encoded.tokens.ids = std::move(sequence.ids);
  return encoded;
}

}  // namespace

std::vector<EncodedExample> encode_language(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading) {
  ensure(data.conversations != nullptr, "data of kind {} without conversations",
         describe(data.kind));
  std::optional<ModelChatTemplate> chat_template = load_chat_template(base.folder);
  EncodedConversations all = encode_conversations(
      *data.conversations, tokenizer, chat_template.has_value() ? &*chat_template : nullptr,
      {.loss = reading.loss, .max_tokens = max_tokens, .too_long = reading.too_long});
  if (reading.counts != nullptr) *reading.counts = all.counts;
  std::vector<EncodedExample> examples;
  examples.reserve(all.sequences.size());
  for (TrainingSequence& sequence : all.sequences)
    examples.push_back(example_of(std::move(sequence), data));
  return examples;
}

}  // namespace inlay
