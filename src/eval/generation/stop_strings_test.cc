#include "eval/generation/stop_strings.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "eval/generation/generated_text.h"

namespace inlay {
namespace {

TEST(StopStrings, HoldBackWhatMayStillBecomeOne) {
  StopStrings stops({"\nUser:"});
  EXPECT_EQ(stops.push("Yes.\nUs"), "Yes.");
  EXPECT_EQ(stops.push("ually, "), "\nUsually, ");
  EXPECT_EQ(stops.push("no\nUser: and"), "no");
  EXPECT_EQ(stops.matched(), "\nUser:");
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, GiveBackTheRestOfATextThatEndsOtherwise) {
  StopStrings stops({"abab"});
  EXPECT_EQ(stops.push("xaba"), "x");
  EXPECT_EQ(stops.finish(), "aba");
  EXPECT_FALSE(stops.matched().has_value());
}

TEST(StopStrings, AreFoundWhereTheyOverlapTheirOwnBeginning) {
  StopStrings stops({"aab", "abac"});
  EXPECT_EQ(stops.push("aaa"), "a");
  EXPECT_EQ(stops.push("b"), "");
  EXPECT_EQ(stops.matched(), "aab");
  StopStrings other({"abac"});
  EXPECT_EQ(other.push("ababa"), "ab");
  EXPECT_EQ(other.push("c"), "");
  EXPECT_EQ(other.matched(), "abac");
}

TEST(StopStrings, TheFirstCompleteOneEndsTheTextAndTheLongestOfThose) {
  StopStrings stops({"bcd", "abcde", "abcd"});
  EXPECT_EQ(stops.push("xabcdef"), "x");
  EXPECT_EQ(stops.matched(), "abcd");
}

TEST(StopStrings, NoneReleasesAllAtOnce) {
  StopStrings stops({});
  EXPECT_EQ(stops.push("any"), "any");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, KeepCharactersWhole) {
  StopStrings stops({"é!"});
  EXPECT_EQ(stops.push("caf\u00e9"), "caf");
  EXPECT_EQ(stops.push("\u00e8"), "\u00e9\u00e8");  // è begins with é's first byte
}

// However a text is cut: what comes out is the text before the stop string that is complete first.
TEST(StopStrings, DoNotDependOnHowTheTextIsCut) {
  const std::vector<std::string> strings = {"aba", "bb", "abc", "caab"};
  for (uint64_t round = 0; round < 500; ++round) {
    const Stream stream(round, "text");
    std::string text;
    for (uint64_t i = 0; i < 12; ++i) text += static_cast<char>('a' + stream.below(3, i));
    std::size_t end = text.size() + 1, begin = text.size();
    for (const std::string& stop : strings) {
      const std::size_t at = text.find(stop);
      if (at == text.npos || at + stop.size() > end) continue;
      begin = at + stop.size() < end ? at : std::min(begin, at);
      end = at + stop.size();
    }
    StopStrings stops(strings);
    std::string released;
    for (std::size_t at = 0, i = 100; at < text.size(); ++i) {
      const std::size_t length = 1 + stream.below(4, i);
      released += stops.push(text.substr(at, length));
      EXPECT_TRUE(text.starts_with(released));
      at += length;
    }
    released += stops.finish();
    EXPECT_EQ(released, text.substr(0, begin)) << text;
    EXPECT_EQ(stops.matched().has_value(), end <= text.size()) << text;
  }
}

TEST(StopStrings, MustBeText) {
  auto check = [](const std::vector<std::string>& strings) {
    return [=] { StopStrings stop(strings); };
  };
  EXPECT_THROW(check({""})(), Error);
  EXPECT_THROW(check({std::string(1025, 'x')})(), Error);
  EXPECT_THROW(check({"\xff"})(), Error);
  EXPECT_THROW(check(std::vector<std::string>(65, "x"))(), Error);
  EXPECT_NO_THROW(check(std::vector<std::string>(64, std::string(1024, 'x')))());
}

// Byte-level tokens: 0 to 3 spell F0 9F 98 80, a smiley, between them.
TEST(GeneratedText, ShowsWholeCharactersBeforeTheStopString) {
  Json vocab = Json::object();
  const std::vector<std::string> tokens = {"ð", "Ł", "ĺ", "Ģ", "x", "a<", "end", ">b"};
  for (std::size_t i = 0; i < tokens.size(); ++i) vocab[tokens[i]] = i;
  const Json file = {{"model", {{"type", "WordLevel"}, {"unk_token", "x"}, {"vocab", vocab}}},
                     {"decoder", {{"type", "ByteLevel"}}}};
  const Tokenizer tokenizer = Tokenizer::parse(file.dump(), "tokenizer.json");
  GeneratedText text(tokenizer, {"<end>"});
  EXPECT_EQ(text.push(0), "");
  EXPECT_EQ(text.push(1), "");
  EXPECT_EQ(text.push(2), "");
  EXPECT_EQ(text.push(3), "😀");
  EXPECT_EQ(text.push(5), "a");   // "<" may begin the stop string
  EXPECT_EQ(text.push(5), "<a");  // that one did not
  EXPECT_EQ(text.push(6), "");
  EXPECT_FALSE(text.matched().has_value());
  EXPECT_EQ(text.push(7), "");
  EXPECT_EQ(text.matched(), "<end>");
  EXPECT_EQ(text.finish(), "");

  GeneratedText other(tokenizer, {"<end>", "\uFFFD"});
  EXPECT_EQ(other.push(5), "a");
  EXPECT_EQ(other.push(0), "");
  EXPECT_EQ(other.finish(), "<");  // half a character at the end is the stop string here
  EXPECT_EQ(other.matched(), "\uFFFD");
}

}  // namespace
}  // namespace inlay
