#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "base/source_dir.h"
#include "text/bpe_tokenizer_file.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

const std::filesystem::path kGoldens = source_dir() / "tests/golden/tokenizers";

using Texts = std::vector<std::string>;
using Merges = std::vector<std::pair<std::string, std::string>>;

LearntBpe learn(const Texts& texts, BpeTraining training) {
  BpeTrainer trainer(std::move(training));
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train();
}

Merges merges_of(const LearntBpe& learnt) {
  Merges merges;
  auto token = [&](int32_t id) { return learnt.vocabulary[static_cast<std::size_t>(id)]; };
  for (const TokenPair& pair : learnt.merges)
    merges.emplace_back(token(pair.left), token(pair.right));
  return merges;
}

Tokenizer tokenizer_of(const LearntBpe& learnt) {
  return Tokenizer::parse(bpe_tokenizer_json(learnt, BeginOfText::kLeaveOut), "learnt");
}

template <class Call>
void expect_error(ErrorKind kind, const std::string& part, Call call) {
  try {
    call();
    ADD_FAILURE() << "no error; expected " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

// The words of Sennrich et al. 2016, section 3.2: low 5 times, lower 2, newest 6, widest 3.
Texts sennrich() {
  Texts texts;
  for (auto [word, count] :
       std::map<std::string, int>{{" low", 5}, {" lower", 2}, {" newest", 6}, {" widest", 3}}) {
    texts.insert(texts.end(), static_cast<std::size_t>(count), word);
  }
  return texts;
}

Texts lines_of(const std::string& text) {
  Texts lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

TEST(BpeTrainer, LearnsWhatOneFindsByHand) {
  const LearntBpe learnt = learn(sennrich(), {});
  // es 9, est 9, lo and its like 7, ew and its like 6, dest and its like 3, er 2. (Ġ is a space.)
  const Merges expected = {{"e", "s"},      {"es", "t"},  {"l", "o"},    {"Ġ", "lo"},
                           {"Ġlo", "w"},    {"e", "w"},   {"n", "ew"},   {"Ġ", "new"},
                           {"Ġnew", "est"}, {"d", "est"}, {"i", "dest"}, {"w", "idest"},
                           {"Ġ", "widest"}, {"e", "r"},   {"Ġlow", "er"}};
  EXPECT_EQ(merges_of(learnt), expected);
  EXPECT_EQ(learnt.vocabulary.size(), 1u + 256u + expected.size());
  EXPECT_EQ(learnt.tokens, 16);  // a word each
  EXPECT_EQ(learnt.bytes, 5 * 4 + 2 * 6 + 6 * 7 + 3 * 7);
  EXPECT_EQ(learnt.words, 16);
  EXPECT_EQ(learnt.distinct_words, 4);
}

TEST(BpeTrainer, NumbersSpecialTokensThenBytesThenMerges) {
  const LearntBpe learnt =
      learn(sennrich(), {.vocab_size = 260, .special_tokens = {"<s>", "</s>"}});
  ASSERT_EQ(learnt.vocabulary.size(), 260u);
  EXPECT_EQ(learnt.vocabulary[0], "<s>");
  EXPECT_EQ(learnt.vocabulary[1], "</s>");
  EXPECT_EQ(learnt.vocabulary[2], "!");  // U+0021, the first printable byte
  EXPECT_EQ(learnt.vocabulary[2 + 'a' - '!'], "a");
  EXPECT_EQ(learnt.vocabulary[257], "\u0143");  // byte 0xAD, the last of the alphabet
  EXPECT_EQ(learnt.vocabulary[258], "es");
  EXPECT_EQ(learnt.vocabulary[259], "est");
}

TEST(BpeTrainer, LearnsNothingRarerThanAsked) {
  EXPECT_EQ(learn(sennrich(), {.min_frequency = 7}).merges.size(), 5u);
  EXPECT_EQ(learn(sennrich(), {.min_frequency = 10}).merges.size(), 0u);
}

// Hugging Face's trainer on a text of many scripts; its alphabet is the bytes that occur.
TEST(BpeTrainer, LearnsTheVocabularyAndMergesOfTheReference) {
  const Json golden = read_json(kGoldens / "bpe_training.json");
  const LearntBpe learnt = learn(lines_of(golden.at("text").get<std::string>()),
                                 {.vocab_size = 30'000, .min_frequency = 1});
  ASSERT_EQ(golden.at("merges").size(), 1561u);
  EXPECT_EQ(merges_of(learnt), golden.at("merges").get<Merges>());
  const auto expected = golden.at("vocabulary").get<std::vector<std::string>>();
  const std::set<std::string> known(expected.begin(), expected.end());
  std::vector<std::string> found = learnt.vocabulary;
  std::erase_if(found, [&](const std::string& token) { return !known.contains(token); });
  EXPECT_EQ(found, expected);
}

// The definition, slowly: all pairs are counted anew for every merge.
LearntBpe learn_plainly(const Texts& words) {
  LearntBpe learnt;
  std::vector<std::vector<int32_t>> rows;
  for (char c = 'a'; c <= 'c'; ++c) learnt.vocabulary.emplace_back(1, c);
  for (const std::string& word : words) {
    rows.emplace_back();
    for (char c : word) rows.back().push_back(c - 'a');
  }
  while (true) {
    std::map<TokenPair, int64_t> counts;
    for (const auto& row : rows)
      for (std::size_t i = 0; i + 1 < row.size(); ++i) ++counts[{row[i], row[i + 1]}];
    if (counts.empty()) break;
    const TokenPair best = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
                             return a.second < b.second;  // the first, thus lowest, of the equal
                           })->first;
    const auto made = static_cast<int32_t>(learnt.vocabulary.size());
    learnt.vocabulary.push_back(learnt.vocabulary[static_cast<std::size_t>(best.left)] +
                                learnt.vocabulary[static_cast<std::size_t>(best.right)]);
    learnt.merges.push_back(best);
    for (auto& row : rows) {
      for (std::size_t i = 0; i + 1 < row.size(); ++i) {
        if (TokenPair{row[i], row[i + 1]} != best) continue;
        row[i] = made;
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  for (const auto& row : rows) learnt.tokens += static_cast<int64_t>(row.size());
  return learnt;
}

TEST(BpeTrainer, AgreesWithThePlainDefinitionOnWordsOfFewLetters) {
  const Stream stream(5, "words");
  uint64_t draw = 0;
  for (int round = 0; round < 60; ++round) {
    Texts words;
    for (int i = 0; i < 12; ++i) {
      words.emplace_back();
      for (uint64_t length = 1 + stream.below(30, ++draw); length > 0; --length)
        words.back() += static_cast<char>('a' + stream.below(3, ++draw));
    }
    const LearntBpe expected = learn_plainly(words);
    const LearntBpe learnt = learn(words, {.vocab_size = 5000, .min_frequency = 1});
    EXPECT_EQ(merges_of(learnt), merges_of(expected)) << "round " << round;
    EXPECT_EQ(learnt.tokens, expected.tokens) << "round " << round;
    const std::set<std::string> distinct(learnt.vocabulary.begin(), learnt.vocabulary.end());
    EXPECT_EQ(distinct.size(), 257 + learnt.merges.size()) << "round " << round;
  }
}

TEST(BpeTrainer, IgnoresTheOrderOfTheTexts) {
  const Json golden = read_json(kGoldens / "bpe_training.json");
  Texts lines = lines_of(golden.at("text").get<std::string>());
  const BpeTraining training{.vocab_size = 700};
  const std::string first = bpe_tokenizer_json(learn(lines, training), BeginOfText::kAdd);
  std::reverse(lines.begin(), lines.end());
  EXPECT_EQ(bpe_tokenizer_json(learn(lines, training), BeginOfText::kAdd), first);
}

TEST(BpeTrainer, MakesATokenizerThatCutsTheTextAsItWasCutInTraining) {
  const Json golden = read_json(kGoldens / "bpe_training.json");
  Texts lines = lines_of(golden.at("text").get<std::string>());
  // To the tokenizer these are special tokens, in training they were text.
  EXPECT_EQ(std::erase_if(lines, [](auto& line) { return line.find("<|endo") != line.npos; }), 2u);
  const LearntBpe learnt = learn(lines, {.vocab_size = 900});
  const Tokenizer tokenizer = tokenizer_of(learnt);
  EXPECT_EQ(tokenizer.vocab_size(), 900);
  int64_t tokens = 0, bytes = 0;
  for (const std::string& line : lines) {
    tokens += static_cast<int64_t>(tokenizer.encode(line).size());
    bytes += static_cast<int64_t>(line.size());
  }
  EXPECT_EQ(learnt.tokens, tokens);
  EXPECT_EQ(learnt.bytes, bytes);
  EXPECT_EQ(learnt.learnt_bytes, bytes);
}

TEST(BpeTrainer, MakesATokenizerThatGivesBackEveryCharacter) {
  const Tokenizer tokenizer = tokenizer_of(learn(sennrich(), {}));
  std::string text;
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 17) {
    if (c < 0xD800 || c >= 0xE000) append_utf8(text, c);
  }
  const Encoding encoding = tokenizer.encode(text);
  EXPECT_EQ(tokenizer.decode(encoding.ids, false), text);
  // Every byte of UTF-8 was there: all but C0, C1 and F5 to FF.
  EXPECT_EQ(std::set<char>(text.begin(), text.end()).size(), 256u - 13u);
}

TEST(BpeTrainer, NeverMakesASpecialTokenOfPlainText) {
  const Texts texts(9, "abcabcabc");
  const LearntBpe free = learn(texts, {.special_tokens = {"<s>"}});
  EXPECT_NE(std::find(free.vocabulary.begin(), free.vocabulary.end(), "abc"),
            free.vocabulary.end());
  const LearntBpe learnt = learn(texts, {.special_tokens = {"abc"}});
  for (const TokenPair& pair : learnt.merges) {
    EXPECT_NE(learnt.vocabulary[static_cast<std::size_t>(pair.left)] +
                  learnt.vocabulary[static_cast<std::size_t>(pair.right)],
              "abc");
  }
  EXPECT_EQ(merges_of(learnt),
            (Merges{{"a", "b"}, {"c", "ab"}, {"ab", "cab"}, {"cab", "c"}, {"abcab", "cabc"}}));
}

TEST(BpeTrainer, LearnsNothingFromWordsBeyondTheLimitAndCountsThem) {
  BpeTraining training;
  training.limits.word_bytes = 4;
  const LearntBpe learnt = learn({"abcd", "ababababab", "abcd"}, training);
  EXPECT_EQ(merges_of(learnt), (Merges{{"a", "b"}, {"c", "d"}, {"ab", "cd"}}));
  EXPECT_EQ(learnt.long_words, 1);
  EXPECT_EQ(learnt.words, 3);
  EXPECT_EQ(learnt.bytes, 18);
  EXPECT_EQ(learnt.learnt_bytes, 8);
}

TEST(BpeTrainer, RefusesWhatCannotBe) {
  auto with = [](BpeTraining training) { return [=] { BpeTrainer{training}; }; };
  expect_error(ErrorKind::kUsage, "256 tokens was asked for; expected 257",
               with({.vocab_size = 256}));
  expect_error(ErrorKind::kUsage, "expected 258",
               with({.vocab_size = 257, .special_tokens = {"<s>", "</s>"}}));
  expect_error(ErrorKind::kUsage, "to 1000000", with({.vocab_size = 1'000'001}));
  expect_error(ErrorKind::kUsage, "min_frequency is 0", with({.min_frequency = 0}));
  expect_error(ErrorKind::kUsage, "no special tokens", with({.special_tokens = {}}));
  expect_error(ErrorKind::kUsage, "is empty", with({.special_tokens = {"<s>", ""}}));
  expect_error(ErrorKind::kUsage, "\"<s>\" was given twice",
               with({.special_tokens = {"<s>", "<s>"}}));
  expect_error(ErrorKind::kUsage, "\"Ġ\" was given twice or is how a byte is written",
               with({.special_tokens = {"Ġ"}}));
}

TEST(BpeTrainer, RefusesTextsBeyondTheLimits) {
  expect_error(ErrorKind::kInput, "the 0 texts hold no words", [] { learn({}, {}); });
  expect_error(ErrorKind::kInput, "the 1 texts hold no words", [] { learn({""}, {}); });
  expect_error(ErrorKind::kInput, "text 2: not valid UTF-8 at byte 1", [] {
    learn({"a", "a\xFF"}, {});
  });
  expect_error(ErrorKind::kInput, "text 1 has 5 bytes; expected at most 4",
               [] { learn({"abcde"}, {.limits = {.text_bytes = 4}}); });
  expect_error(ErrorKind::kInput, "text 4: more than 2 distinct words", [] {
    learn({"a", "b", "a", "c"}, {.limits = {.distinct_words = 2}});
  });
  expect_error(ErrorKind::kInput, "or 3 bytes of them", [] {
    learn({"ab", "cd"}, {.limits = {.distinct_bytes = 3}});
  });
}

TEST(BpeTokenizerFile, SetsTheFirstSpecialTokenBeforeTextsWhereAsked) {
  const LearntBpe learnt = learn(sennrich(), {.special_tokens = {"<s>", "</s>"}});
  const Tokenizer tokenizer =
      Tokenizer::parse(bpe_tokenizer_json(learnt, BeginOfText::kAdd), "learnt");
  const auto low = *tokenizer.token_to_id("Ġlow"), newest = *tokenizer.token_to_id("Ġnewest");
  EXPECT_EQ(tokenizer.encode(" low").ids, (std::vector<int32_t>{0, low}));
  EXPECT_EQ(tokenizer.encode(" low", " newest").ids, (std::vector<int32_t>{0, low, 0, newest}));
  EXPECT_EQ(tokenizer_of(learnt).encode(" low</s>").ids, (std::vector<int32_t>{low, 1}));
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{0, low, 1}, true), " low");
}

TEST(BpeTokenizerFile, SaysWhichTokensBeginAndEndATextAndWhatTheModelTakes) {
  const Json one = parse_json(bpe_tokenizer_config_json(learn(sennrich(), {}), 512), "one");
  EXPECT_EQ(one, parse_json(R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
      "model_max_length": 512, "tokenizer_class": "PreTrainedTokenizerFast",
      "clean_up_tokenization_spaces": false})",
                            "expected"));
  const LearntBpe two = learn(sennrich(), {.special_tokens = {"<s>", "</s>", "<pad>"}});
  EXPECT_EQ(parse_json(bpe_tokenizer_config_json(two, 512), "two").at("eos_token"), "</s>");
}

}  // namespace
}  // namespace inlay::text
