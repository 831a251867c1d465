#include "eval/choice_continuations.h"

#include <numeric>
#include <string>

#include "eval/fit_to_base.h"

namespace inlay {
namespace {

struct Question {
  std::string text;
  std::string blanks;  // between it and every choice
  std::size_t tokens = 0;
};

// The tokens of a text's beginning and its own, and no EOS.
std::vector<int32_t> tokens_of(const std::string& text, const Tokenizer& tokenizer) {
  const TextPart part{text, true};
  Encoding encoding = tokenizer.encode_parts({&part, 1});
  bool ended = !encoding.ids.empty() && encoding.part_ids.back() < 0 &&
               tokenizer.special_id("eos") == encoding.ids.back();
  if (ended) encoding.ids.pop_back();
  return std::move(encoding.ids);
}

Question question_of(const Example& source, const Tokenizer& tokenizer) {
  std::string text = source.text_pair.empty() ? source.text : source.text_pair + " " + source.text;
  std::size_t end = text.find_last_not_of(" \t\n\v\f\r") + 1;
  Question question{text.substr(0, end), text.substr(end) + " "};
  question.tokens = tokens_of(question.text, tokenizer).size();
  return question;
}

// What one choice adds to an example.
class ContinuationEncoder {
 public:
  ContinuationEncoder(const Tokenizer& tokenizer, const BaseFacts& base, int64_t max_tokens)
      : tokenizer_(tokenizer), base_(base), max_tokens_(static_cast<std::size_t>(max_tokens)) {}

  TokenSequence encode(const Question& question, const std::string& choice,
                       EncodedExample& example) const {
    TokenSequence sequence;
    sequence.ids = tokens_of(question.text + question.blanks + choice, tokenizer_);
    fit_to_base(sequence, base_);
    std::vector<int32_t>& ids = sequence.ids;
    require(question.tokens > 0, ErrorKind::kInput,
            "the question has no tokens, so nothing stands before its choices");
    require(ids.size() > question.tokens, ErrorKind::kInput,
            "the choice \"{}\" adds no token to its question; write it in words that the tokenizer "
            "knows",
            choice);
    std::size_t own = ids.size() - question.tokens;
    require(
        own <= max_tokens_, ErrorKind::kInput,
        "the choice \"{}\" is {} tokens, and the model reads {}; shorten it or raise max_length",
        choice, own, max_tokens_);
    example.answers.insert(example.answers.end(), ids.end() - static_cast<std::ptrdiff_t>(own),
                           ids.end());
    ids.pop_back();  // nothing is asked behind it
    if (ids.size() > max_tokens_) {
      ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(max_tokens_));
      example.truncated = true;
    }
    sequence.asked.resize(own);
    std::iota(sequence.asked.begin(), sequence.asked.end(), static_cast<int32_t>(ids.size() - own));
    return sequence;
  }

 private:
  const Tokenizer& tokenizer_;
  const BaseFacts& base_;
  std::size_t max_tokens_;
};

}  // namespace

std::vector<EncodedExample> encode_continuations(const Dataset& data, const Tokenizer& tokenizer,
                                                 const BaseFacts& base, int64_t max_tokens) {
  ContinuationEncoder encoder(tokenizer, base, max_tokens);
  std::vector<EncodedExample> examples(data.examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    EncodedExample& example = examples[i];
    example.source = &data.examples[i];
    example.index = i;
    try {
      Question question = question_of(*example.source, tokenizer);
      for (const std::string& choice : example.source->further) {
        TokenSequence sequence = encoder.encode(question, choice, example);
        if (example.tokens.ids.empty()) {
          example.tokens = std::move(sequence);
        } else {
          example.further.push_back(std::move(sequence));
        }
      }
    } catch (const Error& error) {
      fail(ErrorKind::kInput, "{}: {}", data.place(i), error.what());
    }
  }
  return examples;
}

}  // namespace inlay
