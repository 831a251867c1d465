#include "eval/language_sequences.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "models/base_text.h"

namespace inlay {
namespace {

// Adds the answers to those of the example, and gives the sequence that they are asked of.
TokenSequence ask(EncodedExample& example, TrainingSequence sequence) {
  TokenSequence tokens;
  for (std::size_t t = 1; t < sequence.ids.size(); ++t) {
    if (sequence.in_loss[t] == 0) continue;
    tokens.asked.push_back(static_cast<int32_t>(t) - 1);
    example.answers.push_back(sequence.ids[t]);
  }
  tokens.ids = std::move(sequence.ids);
  return tokens;
}

EncodedExample example_of(TrainingSequence sequence, const Dataset& data) {
  EncodedExample encoded;
  encoded.index = sequence.source;
  encoded.source = &data.examples[sequence.source];
  encoded.tokens = ask(encoded, std::move(sequence));
  return encoded;
}

// The prompts of all preferences with one of their answers.
ConversationData with_answers(const PreferenceData& data, Conversation Preference::*answer) {
  ConversationData whole{.files = data.files, .layout = data.layout};
  whole.conversations.reserve(data.preferences.size());
  for (const Preference& preference : data.preferences) {
    whole.conversations.push_back(answered(preference.prompt, preference.*answer));
    whole.conversations.back().origin = preference.origin;
  }
  return whole;
}

// Of sequences with ascending sources, leaves those whose source others have, too.
void keep_common(EncodedConversations& encoded, const std::vector<TrainingSequence>& others) {
  auto before = [](const TrainingSequence& sequence, std::size_t source) {
    return sequence.source < source;
  };
  std::erase_if(encoded.sequences, [&](const TrainingSequence& sequence) {
    auto found = std::lower_bound(others.begin(), others.end(), sequence.source, before);
    bool common = found != others.end() && found->source == sequence.source;
    if (!common) encoded.counts.leave_out(sequence.in_loss);
    return !common;
  });
}

}  // namespace

std::vector<EncodedExample> encode_language(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading) {
  ensure(data.conversations != nullptr, "data of kind {} without conversations",
         describe(data.kind));
  std::optional<ModelChatTemplate> chat_template = load_base_chat_template(base.folder);
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

std::vector<EncodedExample> encode_preferences(const Dataset& data, const Tokenizer& tokenizer,
                                               const BaseFacts& base, int64_t max_tokens,
                                               EncodingCounts* counts) {
  ensure(data.preferences != nullptr, "data of kind {} without preferences", describe(data.kind));
  std::optional<ModelChatTemplate> chat_template = load_base_chat_template(base.folder);
  auto encode = [&](Conversation Preference::*answer) {
    return encode_conversations(with_answers(*data.preferences, answer), tokenizer,
                                chat_template.has_value() ? &*chat_template : nullptr,
                                {.max_tokens = max_tokens});
  };
  EncodedConversations chosen = encode(&Preference::chosen);
  EncodedConversations rejected = encode(&Preference::rejected);
  keep_common(chosen, rejected.sequences);
  keep_common(rejected, chosen.sequences);
  if (counts != nullptr) {
    *counts = chosen.counts;
    counts->add(rejected.counts);
  }
  std::vector<EncodedExample> pairs;
  pairs.reserve(chosen.sequences.size());
  for (std::size_t i = 0; i < chosen.sequences.size(); ++i) {
    EncodedExample& pair = pairs.emplace_back(example_of(std::move(chosen.sequences[i]), data));
    pair.further.push_back(ask(pair, std::move(rejected.sequences[i])));
  }
  return pairs;
}

}  // namespace inlay
