#include "eval/example_sequences.h"

#include <algorithm>
#include <optional>

#include "data/characters.h"

namespace inlay {
namespace {

constexpr int64_t kWindowOverlap = 128;  // tokens, as in Hugging Face's and BERT's own scripts

bool was_cut(const Encoding& encoding) {
  return encoding.tokens_before_truncation > static_cast<int64_t>(encoding.ids.size());
}

void add_sequence(EncodedExample& encoded, bool first, TokenSequence sequence) {
  if (first) {
    encoded.tokens = std::move(sequence);
  } else {
    encoded.further.push_back(std::move(sequence));
  }
}

TokenSequence sequence_of(Encoding encoding) {
  return {std::move(encoding.ids), std::move(encoding.type_ids), {}};
}

// Tokens [first, last) of the context within the whole encoding of question and context.
struct Stretch {
  std::size_t first, last;
};

Stretch context_of(const Encoding& whole) {
  auto begins = std::find(whole.sequence_ids.begin(), whole.sequence_ids.end(), 1);
  auto ends = std::find(whole.sequence_ids.rbegin(), whole.sequence_ids.rend(), 1);
  require(begins != whole.sequence_ids.end(), ErrorKind::kInput, "the context has no tokens");
  return {static_cast<std::size_t>(begins - whole.sequence_ids.begin()),
          static_cast<std::size_t>(whole.sequence_ids.rend() - ends)};
}

// The tokens of the context that the answer's characters touch.
Stretch answer_tokens(const Encoding& whole, const Stretch& context, const Answer& answer) {
  std::int64_t begin = answer.start, end = begin + character_count(answer.text);
  Stretch found{context.last, context.first};
  for (std::size_t t = context.first; t < context.last; ++t) {
    auto [from, to] = whole.offsets[t];
    if (to <= begin || from >= end || from == to) continue;
    found.first = std::min(found.first, t);
    found.last = t + 1;
  }
  return found;
}

// The encoding with only tokens [part.first, part.last) of the context.
TokenSequence window_of(const Encoding& whole, const Stretch& context, const Stretch& part) {
  TokenSequence sequence;
  for (std::size_t t = 0; t < whole.ids.size(); ++t) {
    bool outside = t < part.first || t >= part.last;
    if (t >= context.first && t < context.last && outside) continue;
    sequence.ids.push_back(whole.ids[t]);
    sequence.types.push_back(whole.type_ids[t]);
  }
  return sequence;
}

ContextWindow window_facts(const Encoding& whole, const Stretch& context, const Stretch& part,
                           const std::optional<Stretch>& answer) {
  ContextWindow window{.first = static_cast<int32_t>(context.first)};
  for (std::size_t t = part.first; t < part.last; ++t)
    window.characters.push_back(whole.offsets[t]);
  if (answer.has_value() && answer->first >= part.first && answer->last <= part.last) {
    std::size_t shift = part.first - context.first;
    window.answer_start = static_cast<int32_t>(answer->first - shift);
    window.answer_end = static_cast<int32_t>(answer->last - 1 - shift);
  }
  return window;
}

void encode_windows(EncodedExample& encoded, const Tokenizer& tokenizer, int64_t max_tokens) {
  const Example& source = *encoded.source;
  Encoding whole = tokenizer.encode(source.text, source.text_pair, {});
  Stretch context = context_of(whole);
  auto tokens = static_cast<int64_t>(context.last - context.first);
  int64_t beside = static_cast<int64_t>(whole.ids.size()) - tokens;
  int64_t room = max_tokens - beside;
  require(room >= 1, ErrorKind::kInput,
          "the question and special tokens are {} tokens, which leaves none of {} for the context; "
          "shorten the question or raise max_length",
          beside, max_tokens);
  std::optional<Stretch> answer;
  if (source.answers.has_value() && !source.answers->empty()) {
    answer = answer_tokens(whole, context, source.answers->front());
    require(answer->first < answer->last, ErrorKind::kInput,
            "no token of the context holds the answer \"{}\"", source.answers->front().text);
  }
  auto step = static_cast<std::size_t>(room - std::min(kWindowOverlap, room / 2));
  bool held = !answer.has_value();
  for (std::size_t first = context.first;; first += step) {
    Stretch part{first, std::min(context.last, first + static_cast<std::size_t>(room))};
    add_sequence(encoded, first == context.first, window_of(whole, context, part));
    encoded.windows.push_back(window_facts(whole, context, part, answer));
    held = held || encoded.windows.back().answer_start > 0;
    if (part.last == context.last) break;
  }
  encoded.truncated = !held;
}

void encode_choices(EncodedExample& encoded, const Tokenizer& tokenizer,
                    const EncodeOptions& options) {
  const Example& source = *encoded.source;
  bool first = true;
  for (const std::string& choice : source.further) {
    bool with_context = !source.text_pair.empty();
    const std::string& before = with_context ? source.text_pair : source.text;
    std::string after = with_context ? source.text + " " + choice : choice;
    Encoding encoding = tokenizer.encode(before, after, options);
    encoded.truncated = encoded.truncated || was_cut(encoding);
    add_sequence(encoded, first, sequence_of(std::move(encoding)));
    first = false;
  }
}

// Each text on its own.
void encode_texts(EncodedExample& encoded, const Tokenizer& tokenizer,
                  const EncodeOptions& options) {
  const Example& source = *encoded.source;
  std::vector<const std::string*> texts{&source.text, &source.text_pair};
  for (const std::string& text : source.further) texts.push_back(&text);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Encoding encoding = tokenizer.encode(*texts[i], options);
    encoded.truncated = encoded.truncated || was_cut(encoding);
    add_sequence(encoded, i == 0, sequence_of(std::move(encoding)));
  }
}

}  // namespace

void encode_sequences(EncodedExample& encoded, const Tokenizer& tokenizer, TaskKind kind,
                      int64_t max_tokens) {
  EncodeOptions options{.max_length = max_tokens};
  switch (kind) {
    case TaskKind::kQuestionAnswering:
      return encode_windows(encoded, tokenizer, max_tokens);
    case TaskKind::kMultipleChoice:
      return encode_choices(encoded, tokenizer, options);
    default:
      return encode_texts(encoded, tokenizer, options);
  }
}

}  // namespace inlay
