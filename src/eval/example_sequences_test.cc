#include "eval/example_sequences.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

// Words w0 to w399 are ids 5 to 404; pairs are [CLS] a [SEP] b [SEP] with types 0 and 1.
Tokenizer words() {
  std::string vocabulary;
  int id = 0;
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    vocabulary += fmt::format(R"({}"{}":{})", id == 0 ? "" : ",", name, id), ++id;
  for (int i = 0; i < 400; ++i) vocabulary += fmt::format(R"(,"w{}":{})", i, i + 5);
  return Tokenizer::parse(
      R"({"version":"1.0","added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},
          "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
          "model":{"type":"WordLevel","unk_token":"[UNK]","vocab":{)" +
          vocabulary + "}}}",
      "tokenizer.json");
}

std::string numbered(int first, int last) {
  std::string text;
  for (int i = first; i < last; ++i) text += fmt::format("{}w{}", text.empty() ? "" : " ", i);
  return text;
}

class ExampleSequences : public testing::Test {
 protected:
  EncodedExample encode(const Example& source, TaskKind kind, int64_t max_tokens) const {
    EncodedExample encoded;
    encoded.source = &source;
    encode_sequences(encoded, tokenizer_, kind, max_tokens);
    return encoded;
  }
  static std::vector<int32_t> ids(const EncodedExample& example, std::size_t sequence) {
    return sequence == 0 ? example.tokens.ids : example.further[sequence - 1].ids;
  }

  Tokenizer tokenizer_ = words();
};

using Ids = std::vector<int32_t>;

TEST_F(ExampleSequences, AShortContextIsOneWindowWithItsAnswer) {
  Example source{.text = "w1 w2", .text_pair = "w3  w4 w5"};
  source.answers = {{{"w4 w5", 4}}};
  EncodedExample encoded = encode(source, TaskKind::kQuestionAnswering, 20);
  EXPECT_EQ(encoded.tokens.ids, (Ids{2, 6, 7, 3, 8, 9, 10, 3}));
  EXPECT_EQ(encoded.tokens.types, (Ids{0, 0, 0, 0, 1, 1, 1, 1}));
  ASSERT_EQ(encoded.windows.size(), 1u);
  const ContextWindow& window = encoded.windows[0];
  EXPECT_EQ(window.first, 4);
  EXPECT_EQ(window.answer_start, 5);
  EXPECT_EQ(window.answer_end, 6);
  EXPECT_EQ(window.characters, (std::vector<std::pair<int32_t, int32_t>>{{0, 2}, {4, 6}, {7, 9}}));
  EXPECT_FALSE(encoded.truncated);
}

// Room for 6 tokens of context beside the question, half of them shared by neighbours.
TEST_F(ExampleSequences, ALongContextIsCutIntoWindowsThatOverlap) {
  Example source{.text = "w1", .text_pair = numbered(10, 20)};
  source.answers = {{{"w14", 16}}};
  EncodedExample encoded = encode(source, TaskKind::kQuestionAnswering, 10);
  ASSERT_EQ(encoded.windows.size(), 3u);
  EXPECT_EQ(ids(encoded, 0), (Ids{2, 6, 3, 15, 16, 17, 18, 19, 20, 3}));
  EXPECT_EQ(ids(encoded, 1), (Ids{2, 6, 3, 18, 19, 20, 21, 22, 23, 3}));
  EXPECT_EQ(ids(encoded, 2), (Ids{2, 6, 3, 21, 22, 23, 24, 3}));
  EXPECT_EQ(encoded.windows[0].answer_start, 7);
  EXPECT_EQ(encoded.windows[1].answer_start, 4);
  EXPECT_EQ(encoded.windows[2].answer_start, 0);
  EXPECT_EQ(encoded.windows[2].characters.front(), (std::pair<int32_t, int32_t>{24, 27}));
  EXPECT_FALSE(encoded.truncated);
  EXPECT_EQ(encoded.token_count(), 28);
}

TEST_F(ExampleSequences, AnAnswerThatNoWindowHoldsIsCounted) {
  Example source{.text = "w1", .text_pair = numbered(10, 20)};
  source.answers = {{{numbered(10, 18), 0}}};
  EXPECT_TRUE(encode(source, TaskKind::kQuestionAnswering, 10).truncated);
}

TEST_F(ExampleSequences, AQuestionThatLeavesNoRoomIsRefused) {
  Example source{.text = numbered(0, 8), .text_pair = "w9"};
  try {
    encode(source, TaskKind::kQuestionAnswering, 11);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("are 11 tokens, which leaves none of 11"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(ExampleSequences, ChoicesFollowTheQuestionOrTheContext) {
  Example source{.text = "w1", .further = {"w2", "w3 w4"}};
  EncodedExample plain = encode(source, TaskKind::kMultipleChoice, 20);
  EXPECT_EQ(ids(plain, 0), (Ids{2, 6, 3, 7, 3}));
  EXPECT_EQ(ids(plain, 1), (Ids{2, 6, 3, 8, 9, 3}));
  source.text_pair = "w9";
  EncodedExample with_context = encode(source, TaskKind::kMultipleChoice, 20);
  EXPECT_EQ(ids(with_context, 0), (Ids{2, 14, 3, 6, 7, 3}));
  EXPECT_FALSE(with_context.truncated);
  EXPECT_TRUE(encode(source, TaskKind::kMultipleChoice, 6).truncated);
}

TEST_F(ExampleSequences, ComparedTextsAreSequencesOfTheirOwn) {
  Example source{.text = "w1", .text_pair = "w2", .further = {"w3 w4"}};
  EncodedExample encoded = encode(source, TaskKind::kTextTriplets, 20);
  ASSERT_EQ(encoded.sequence_count(), 3u);
  EXPECT_EQ(ids(encoded, 1), (Ids{2, 7, 3}));
  EXPECT_EQ(ids(encoded, 2), (Ids{2, 8, 9, 3}));
}

}  // namespace
}  // namespace inlay
