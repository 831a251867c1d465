#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "text/tokenizer.h"

namespace inlay {
namespace {

Json model(const char* vocab) {
  return {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", Json::parse(vocab)}};
}

std::vector<int32_t> ids(const Json& model, const char* text) {
  return Tokenizer::parse(Json({{"model", model}}).dump(), "tokenizer.json").encode(text).ids;
}

std::string unigram_message_of(const Json& model, const char* text = "") {
  try {
    ids(model, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

using Ids = std::vector<int32_t>;

TEST(Unigram, TakesTheCutOfTheLargestSum) {
  const Json scores = model(R"([["<unk>", 0], ["a", 0], ["b", 0], ["c", 0], ["d", 0], ["cd", 1],
                                ["ab", 2], ["abc", 5], ["abcd", 10]])");
  EXPECT_EQ(ids(scores, "abcd"), Ids{8});
  EXPECT_EQ(ids(scores, "abcc"), (Ids{7, 3}));
  EXPECT_EQ(ids(scores, "acd"), (Ids{1, 5}));
  EXPECT_EQ(ids(scores, ""), Ids{});
}

TEST(Unigram, OfEqualSumsTakesTheLongestLastToken) {
  const Json equal =
      model(R"([["?", 0], ["a", -1], ["b", -1], ["c", -1], ["ab", -2], ["bc", -2]])");
  EXPECT_EQ(ids(equal, "abc"), (Ids{1, 5}));
  EXPECT_EQ(ids(equal, "ab"), Ids{4});
}

TEST(Unigram, JoinsUnknownCharacters) {
  const Json small = model(R"([["<unk>", 0], ["a", -1], ["é", -1], ["xyz", -100]])");
  EXPECT_EQ(ids(small, "xéyza"), (Ids{0, 2, 0, 1}));
  EXPECT_EQ(ids(small, "a<unk>é"), (Ids{1, 0, 2}));
  // Three unknown characters cost 330, the token 100.
  EXPECT_EQ(ids(small, "xyz"), Ids{3});
}

TEST(Unigram, WritesUnknownCharactersInBytesWhereItHasThemAll) {
  Json bytes = model(R"([["?", 0], ["a", -1], ["<0xC3>", -9], ["<0xA9>", -9]])");
  bytes["byte_fallback"] = true;
  EXPECT_EQ(ids(bytes, "aéa"), (Ids{1, 2, 3, 1}));
  EXPECT_EQ(ids(bytes, "aèa"), (Ids{1, 0, 1}));
  EXPECT_EQ(ids(bytes, "éè"), Ids{0});  // one run, of which not all bytes are there
}

TEST(Unigram, NeedsAnUnknownTokenOnlyForUnknownCharacters) {
  Json without = model(R"([["a", -1]])");
  without["unk_id"] = nullptr;
  EXPECT_EQ(ids(without, "aa"), (Ids{0, 0}));
  EXPECT_NE(unigram_message_of(without, "ab").find("\"b\" is in no token of the vocabulary"),
            std::string::npos);
}

TEST(Unigram, RefusesVocabulariesThatAreNone) {
  auto expect = [](const Json& json, const char* text) {
    const std::string message = unigram_message_of(json);
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  expect(model(R"({"a": 1})"), "\"vocab\" is missing or not a list of [token, score]");
  expect(model(R"([["a", -1], "b"])"), "model.vocab[1]: expected [token, score]");
  expect(model(R"([["a", -1], ["b", "c"]])"), "model.vocab[1]: expected [token, score]");
  expect(model(R"([["a", -1, 2]])"), "model.vocab[0]: expected [token, score]");
  expect(model(R"([["a", -1], ["a", -2]])"), "token \"a\" appears twice");
  expect(model("[]"), "unk_id 0 is not in the vocabulary of 0 tokens");
}

TEST(Unigram, IsGuessedWhereTheTypeIsMissing) {
  const char* const file = R"({"model": {"unk_id": 0, "vocab": [["?", 0], ["a", -1]]}})";
  EXPECT_EQ(Tokenizer::parse(file, "tokenizer.json").encode("ab").ids, (Ids{1, 0}));
}

}  // namespace
}  // namespace inlay
