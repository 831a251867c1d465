#include "data/text_lines.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

TEST(TextLines, EachLineIsARowAndBlankOnesAreSkipped) {
  Table table = parse_text_lines("one, two\r\n\n \t\n\"three\n", "corpus.txt");
  ASSERT_EQ(table.columns, std::vector<std::string>{"text"});
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.cells[0][0].text, "one, two");
  EXPECT_EQ(table.cells[0][1].text, "\"three");
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{1, 4}));
}

TEST(TextLines, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(parse_text_lines("a\nb", "corpus.txt").rows(), 2u);
}

TEST(TextLines, RefusesWhatHoldsNoTextAndLinesWithoutEnd) {
  EXPECT_THROW(parse_text_lines("\n\n", "corpus.txt"), Error);
  EXPECT_THROW(parse_text_lines("four", "corpus.txt", {.field_bytes = 3}), Error);
}

}  // namespace
}  // namespace inlay
