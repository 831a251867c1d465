#include "base/text_table.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

TEST(TextTable, AlignsTextLeftAndNumbersRight) {
  TextTable table({"class", "F1"});
  table.add_row({"größer", "0.93"});
  table.add_row({"b", "–"});
  EXPECT_EQ(table.text(),
            "class     F1\n"
            "------  ----\n"
            "größer  0.93\n"
            "b          –\n");
}

TEST(TextTable, ARowOfAnotherLengthIsABug) {
  TextTable table({"a", "b"});
  EXPECT_THROW(table.add_row({"1"}), Error);
}

}  // namespace
}  // namespace inlay
