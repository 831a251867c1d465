#include "data/lines.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace inlay {
namespace {

class LinesTest : public testing::Test {
 protected:
  Dataset load(const std::string& bytes, const LineLimits& limits = {}) const {
    return load_lines(folder_.write("texts.txt", bytes), limits);
  }
  TestFolder folder_;
};

TEST_F(LinesTest, EachLineIsAText) {
  Dataset data = load(
      "\xEF\xBB\xBF"
      "first\r\nsecond one\nthird");
  ASSERT_EQ(data.examples.size(), 3u);
  EXPECT_EQ(data.examples[0].text, "first");
  EXPECT_EQ(data.examples[1].text, "second one");
  EXPECT_EQ(data.examples[2].line, 3u);
}

TEST_F(LinesTest, WhatIsNoTextIsNamedWithItsLine) {
  EXPECT_INPUT_ERROR(load(""), "texts.txt: the file is empty");
  EXPECT_INPUT_ERROR(load("one\n \ntwo\n"), "texts.txt: line 2: the line is empty");
  EXPECT_INPUT_ERROR(load("one\ncaf\xE9\n"), "texts.txt: line 2, byte 4: invalid UTF-8");
  EXPECT_INPUT_ERROR(load(std::string("a\0b\n", 4)), "texts.txt: line 1, byte 2: found a NUL byte");
  EXPECT_INPUT_ERROR(load("one\nlonger\n", {.line_bytes = 5}), "line 2: 6 bytes; at most 5");
}

}  // namespace
}  // namespace inlay
