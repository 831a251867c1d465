#include "eval/choice_continuations.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

using Ids = std::vector<int32_t>;

// Byte-level BPE in which a blank goes with the letter behind it, and "ab" is one token; <s> begins
// a text and </s> ends it.
constexpr int32_t kA = 0, kB = 1, kBlank = 2, kBlankB = 3, kAB = 4, kBlankA = 5, kBos = 6;
Tokenizer letters() {
  return Tokenizer::parse(R"({"version": "1.0",
    "added_tokens": [
      {"id": 6, "content": "<s>", "special": true, "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false},
      {"id": 7, "content": "</s>", "special": true, "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
      "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]},
        "</s>": {"id": "</s>", "ids": [7], "tokens": ["</s>"]}}},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "Ġ": 2, "Ġb": 3, "ab": 4, "Ġa": 5},
      "merges": ["Ġ b", "a b", "Ġ a"]}})",
                          "tokenizer.json");
}

class ChoiceContinuations : public testing::Test {
 protected:
  ChoiceContinuations() {
    base_.vocabulary = 8;
    data_.kind = TaskKind::kMultipleChoice;
    data_.files.push_back({.path = "questions.jsonl"});
  }

  void add(const std::string& context, const std::string& question,
           const std::vector<std::string>& choices) {
    Example example{.text = question, .text_pair = context, .further = choices};
    example.line = data_.examples.size() + 1;
    data_.examples.push_back(std::move(example));
  }
  std::vector<EncodedExample> encode(int64_t max_tokens = 16) const {
    return encode_continuations(data_, tokenizer_, base_, max_tokens);
  }
  std::string refusal(int64_t max_tokens = 16) const {
    try {
      encode(max_tokens);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "no error";
  }

  Dataset data_;
  BaseFacts base_;
  Tokenizer tokenizer_ = letters();
};

TEST_F(ChoiceContinuations, AreTheTokensOfTheWholeTextBehindThoseOfTheQuestion) {
  add("", "a", {"b", "a b"});
  EncodedExample example = encode()[0];
  ASSERT_EQ(example.sequence_count(), 2u);
  EXPECT_EQ(example.tokens.ids, (Ids{kBos, kA}));
  EXPECT_EQ(example.tokens.asked, Ids{1});
  EXPECT_EQ(example.further[0].ids, (Ids{kBos, kA, kBlankA}));
  EXPECT_EQ(example.further[0].asked, (Ids{1, 2}));
  EXPECT_EQ(example.answers, (Ids{kBlankB, kBlankA, kBlankB}));
  EXPECT_FALSE(example.truncated);
  EXPECT_EQ(example.source, &data_.examples[0]);
}

// The harness moves them behind the boundary, so that the question's last token is a word.
TEST_F(ChoiceContinuations, BlanksAtTheQuestionsEndBelongToTheChoice) {
  add("", "a  ", {"b", "a"});
  EncodedExample example = encode()[0];
  EXPECT_EQ(example.tokens.ids, (Ids{kBos, kA, kBlank, kBlank}));
  EXPECT_EQ(example.tokens.asked, (Ids{1, 2, 3}));
  EXPECT_EQ(Ids(example.answers.begin(), example.answers.begin() + 3),
            (Ids{kBlank, kBlank, kBlankB}));
}

TEST_F(ChoiceContinuations, AContextStandsBeforeTheQuestion) {
  add("ab", "b", {"a", "b"});
  EncodedExample example = encode()[0];
  EXPECT_EQ(example.tokens.ids, (Ids{kBos, kAB, kBlankB}));
  EXPECT_EQ(example.tokens.asked, Ids{2});
}

TEST_F(ChoiceContinuations, ASpecialTokenThatTheDataWritesStaysText) {
  add("", "a</s>", {"b", "a"});
  Ids ids = encode()[0].tokens.ids;
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 7), 0);
}

TEST_F(ChoiceContinuations, WhatIsTooLongLosesItsBeginning) {
  add("", "a b a", {"b b", "b"});
  EncodedExample example = encode(3)[0];
  EXPECT_EQ(example.tokens.ids, (Ids{kBlankB, kBlankA, kBlankB}));
  EXPECT_EQ(example.tokens.asked, (Ids{1, 2}));
  EXPECT_EQ(example.further[0].ids, (Ids{kA, kBlankB, kBlankA}));
  EXPECT_EQ(example.further[0].asked, Ids{2});
  EXPECT_TRUE(example.truncated);
}

TEST_F(ChoiceContinuations, AChoiceThatDoesNotFitIsRefusedByPlace) {
  add("", "a", {"b", "a"});
  add("", "a", {"b b b", "a"});
  EXPECT_EQ(refusal(2),
            "questions.jsonl:2: the choice \"b b b\" is 3 tokens, and the model reads 2; shorten "
            "it or raise max_length");
  EXPECT_EQ(refusal(3), "no error");
}

TEST_F(ChoiceContinuations, ATokenizerOfAnotherModelIsRefused) {
  base_.vocabulary = 3;
  add("", "a", {"b", "a"});
  EXPECT_NE(refusal().find("questions.jsonl:1: the tokenizer gives id 6"), std::string::npos)
      << refusal();
}

}  // namespace
}  // namespace inlay
