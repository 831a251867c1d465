#include "text/regex.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay::text {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  std::vector<Range> ranges;
  Regex(pattern, "test").find_all(text, ranges);
  std::vector<std::string> found;
  for (const Range& range : ranges)
    found.emplace_back(text.substr(range.begin, range.end - range.begin));
  return found;
}

std::string regex_message_of(std::string_view pattern) {
  try {
    Regex(pattern, "tokenizer.json: pre_tokenizer");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

using Found = std::vector<std::string>;

TEST(Regex, ReadsOnigurumasClassesAndEscapes) {
  EXPECT_EQ(matches("\\w+", "a\u0301b 12 \u24B6 x_y"), (Found{"a\u0301b", "12", "\u24B6", "x_y"}));
  EXPECT_EQ(matches("\\s", "a\u180Eb\u2028c"), (Found{"\u2028"})) << "U+180E is no space";
  EXPECT_EQ(matches("\\h+", "xbeefz"), (Found{"beef"}));
  EXPECT_EQ(matches("[\\u4e00-\\u9fff]", "a中b"), (Found{"中"}));
  EXPECT_EQ(matches("(?m:.)", "\n"), (Found{"\n"}));
  EXPECT_EQ(matches("^b$", "a\nb\nc"), (Found{"b"}));
  EXPECT_EQ(matches("(?i:'s)", "'S 'ſ"), (Found{"'S", "'ſ"}));
}

TEST(Regex, AcceptsAnEmptyMatchOnlyAwayFromTheOneBefore) {
  EXPECT_EQ(matches("x*", "axb"), (Found{"", "x", ""}));
  EXPECT_EQ(matches("", "é"), (Found{"", ""}));
}

TEST(Regex, RefusesWhatPcre2WouldReadDifferently) {
  EXPECT_EQ(regex_message_of("[a&&b]"),
            "tokenizer.json: pre_tokenizer: the pattern \"[a&&b]\" uses && inside a character "
            "class, which is not supported");
  EXPECT_NE(regex_message_of("[\\W]").find("\\W inside a character class"), std::string::npos);
  EXPECT_NE(
      regex_message_of("(").find("not a valid regular expression: missing closing parenthesis"),
      std::string::npos);
  EXPECT_NE(regex_message_of(std::string(20'000, 'a')).find("at most 16384"), std::string::npos);
}

TEST(Regex, FindsMatchesFarApart) {
  const std::string text = std::string(100'000, 'a') + "中" + std::string(3000, 'b') + "中";
  EXPECT_EQ(matches("中", text), (Found{"中", "中"}));
}

TEST(Regex, GivesUpOnExponentialPatternsInsteadOfHanging) {
  const Regex hostile("(a|a|aa)+$", "place");
  std::vector<Range> ranges;
  try {
    hostile.find_all(std::string(5000, 'a') + "b", ranges);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("it backtracks too much"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace inlay::text
