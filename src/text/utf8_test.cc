#include "text/utf8.h"

#include <gtest/gtest.h>

namespace inlay::text {
namespace {

TEST(Utf8, EveryCodePointSurvivesWritingAndReading) {
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string bytes;
    append_utf8(bytes, c);
    ASSERT_EQ(decode_utf8(bytes, 0).code, c);
    ASSERT_EQ(decode_utf8(bytes, 0).length, bytes.size());
    ASSERT_EQ(previous_utf8(bytes, bytes.size()), 0u);
    ASSERT_FALSE(first_invalid_utf8(bytes));
  }
}

TEST(Utf8, NamesTheFirstBadByte) {
  EXPECT_EQ(first_invalid_utf8("ab\xFF"), 2u);
  EXPECT_EQ(first_invalid_utf8("\xC3"), 0u) << "cut off";
  EXPECT_EQ(first_invalid_utf8("a\xC0\x80"), 1u) << "overlong";
  EXPECT_EQ(first_invalid_utf8("\xED\xA0\x80"), 0u) << "a surrogate";
  EXPECT_EQ(first_invalid_utf8("\xF4\x90\x80\x80"), 0u) << "past the last code point";
  EXPECT_EQ(first_invalid_utf8("caf\xC3\xA9"), std::nullopt);
}

TEST(Utf8, ReplacesEachIllFormedSequenceOnce) {
  EXPECT_EQ(replace_invalid_utf8("a\xE4\xB8z\xFF\xFFé"), "a\uFFFDz\uFFFD\uFFFDé");
}

}  // namespace
}  // namespace inlay::text
