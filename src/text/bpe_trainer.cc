#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "text/byte_alphabet.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

constexpr int64_t kBytes = 256;
constexpr int64_t kMaxVocabulary = 1'000'000;

// The characters of all bytes, ascending: the order in which Hugging Face's trainer numbers them.
std::array<char32_t, kBytes> alphabet() {
  std::array<char32_t, kBytes> characters;
  for (std::size_t byte = 0; byte < characters.size(); ++byte)
    characters[byte] = byte_to_character(static_cast<uint8_t>(byte));
  std::sort(characters.begin(), characters.end());
  return characters;
}

std::string written(char32_t character) {
  std::string text;
  append_utf8(text, character);
  return text;
}

void check_special_tokens(const std::vector<std::string>& tokens) {
  require(!tokens.empty(), ErrorKind::kUsage,
          "there are no special tokens; give at least one, which begins and ends a text");
  std::set<std::string> known;
  for (char32_t character : alphabet()) known.insert(written(character));
  for (const std::string& token : tokens) {
    require(!token.empty() && !first_invalid_utf8(token), ErrorKind::kUsage,
            "a special token is empty or not valid UTF-8; give each as some characters");
    require(known.insert(token).second, ErrorKind::kUsage,
            "the special token \"{}\" was given twice or is how a byte is written; give each once "
            "and at least two characters long",
            token);
  }
}

// Algorithm 1: while there is room, the commonest pair becomes a token. No two pairs make the same
// one: where a string stands as one token, what was merged inside it did not depend on what stood
// around it.
void learn(const BpeTraining& training, BpePairCounts& pairs, LearntBpe& learnt) {
  std::vector<std::string>& tokens = learnt.vocabulary;
  const std::set<std::string> specials(training.special_tokens.begin(),
                                       training.special_tokens.end());
  while (std::ssize(tokens) < training.vocab_size) {
    const std::optional<TokenPair> pair = pairs.pop_commonest(training.min_frequency);
    if (!pair) return;
    std::string made = tokens[static_cast<std::size_t>(pair->left)] +
                       tokens[static_cast<std::size_t>(pair->right)];
    if (specials.contains(made)) continue;  // plain text must never become a special token
    pairs.merge(*pair, static_cast<int32_t>(tokens.size()));
    tokens.push_back(std::move(made));
    learnt.merges.push_back(*pair);
  }
}

}  // namespace

Json byte_level_stage() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}};
}

BpeTrainer::BpeTrainer(BpeTraining training)
    : training_(std::move(training)),
      words_(build_pre_tokenizer(Component(byte_level_stage(), "pre_tokenizer"))) {
  check_special_tokens(training_.special_tokens);
  const int64_t least = static_cast<int64_t>(training_.special_tokens.size()) + kBytes;
  require(training_.vocab_size >= least && training_.vocab_size <= kMaxVocabulary,
          ErrorKind::kUsage,
          "a vocabulary of {} tokens was asked for; expected {} (the special tokens and the 256 "
          "bytes) to {}",
          training_.vocab_size, least, kMaxVocabulary);
  require(training_.min_frequency >= 1, ErrorKind::kUsage,
          "min_frequency is {}; expected at least 1", training_.min_frequency);
}

void BpeTrainer::add(std::string_view text) {
  ++seen_.texts;
  require(text.size() <= training_.limits.text_bytes, ErrorKind::kInput,
          "text {} has {} bytes; expected at most {}: cut it, for example at its lines",
          seen_.texts, text.size(), training_.limits.text_bytes);
  const auto invalid = first_invalid_utf8(text);
  require(!invalid, ErrorKind::kInput, "text {}: not valid UTF-8 at byte {}; convert it to UTF-8",
          seen_.texts, invalid.value_or(0));
  seen_.bytes += static_cast<int64_t>(text.size());
  Pieces pieces{AlignedText(text)};
  words_->pre_tokenize(pieces);
  for (const Range& word : pieces.ranges()) count(pieces.text().view(word));
}

void BpeTrainer::count(std::string_view word) {
  const BpeLimits& limits = training_.limits;
  const std::size_t bytes = count_utf8_chars(word);  // a character of the alphabet for each
  ++seen_.words;
  if (bytes > limits.word_bytes) {
    ++seen_.long_words;
    return;
  }
  seen_.learnt_bytes += static_cast<int64_t>(bytes);
  if (const auto known = counts_.find(word); known != counts_.end()) {
    ++known->second;
    return;
  }
  distinct_bytes_ += bytes;
  require(counts_.size() < limits.distinct_words && distinct_bytes_ <= limits.distinct_bytes,
          ErrorKind::kInput,
          "text {}: more than {} distinct words or {} bytes of them so far, which is more than "
          "words of a language; is this text? Train on a part of it",
          seen_.texts, limits.distinct_words, limits.distinct_bytes);
  counts_.emplace(word, 1);
}

BpePairCounts BpeTrainer::pairs(int32_t first_byte_id) const {
  const auto characters = alphabet();
  BpePairCounts pairs;
  std::vector<int32_t> symbols;
  for (const auto& [word, count] : counts_) {
    symbols.clear();
    for (std::size_t at = 0; at < word.size();) {
      const Utf8Char c = decode_utf8(word, at);
      const auto place = std::lower_bound(characters.begin(), characters.end(), c.code);
      symbols.push_back(first_byte_id + static_cast<int32_t>(place - characters.begin()));
      at += c.length;
    }
    pairs.add_word(symbols, count);
  }
  return pairs;
}

LearntBpe BpeTrainer::train() const {
  require(!counts_.empty(), ErrorKind::kInput,
          "the {} texts hold no words to learn from; give some text", seen_.texts);
  LearntBpe result = seen_;
  result.special_tokens = result.vocabulary = training_.special_tokens;
  for (char32_t character : alphabet()) result.vocabulary.push_back(written(character));
  BpePairCounts counts = pairs(static_cast<int32_t>(training_.special_tokens.size()));
  learn(training_, counts, result);
  result.distinct_words = std::ssize(counts_);
  result.tokens = counts.tokens();
  return result;
}

}  // namespace inlay::text
