#include "data/csv.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace inlay {
namespace {

using Names = std::vector<std::string>;

std::string text_at(const Table& table, std::size_t column, std::size_t row) {
  return table.cells.at(column).at(row).text;
}

TEST(Csv, ReadsPlainRowsWithTheirLines) {
  Table table = parse_csv("text,label\ngood,1\n\nbad,0", "a.csv");
  EXPECT_EQ(table.columns, (Names{"text", "label"}));
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{2, 4}));
  EXPECT_EQ(text_at(table, 0, 1), "bad");
  EXPECT_EQ(table.cells[1][1].kind, CellKind::kText);
}

TEST(Csv, ReadsQuotesDelimitersAndLineEndsInsideQuotedFields) {
  Table table = parse_csv(
      "text,label\r\n\"He said \"\"no, never\"\"\r\nand left\",1\r\nplain 5\" nail,0\r\n", "a.csv");
  EXPECT_EQ(text_at(table, 0, 0), "He said \"no, never\"\r\nand left");
  EXPECT_EQ(text_at(table, 0, 1), "plain 5\" nail");
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{2, 4}));
}

TEST(Csv, KeepsEmptyFieldsAndBlanks) {
  Table table = parse_csv("a,b,c\n,\"\", x \n", "a.csv");
  EXPECT_EQ(text_at(table, 0, 0) + text_at(table, 1, 0), "");
  EXPECT_EQ(text_at(table, 2, 0), " x ");
}

TEST(Csv, GuessesTheDelimiterFromTheHeaderOutsideQuotes) {
  EXPECT_EQ(parse_csv("a\tb, c\n1\t2\n", "x").columns, (Names{"a", "b, c"}));
  EXPECT_EQ(parse_csv("a;b\n1,5;2\n", "x").columns, (Names{"a", "b"}));
  EXPECT_EQ(parse_csv("\"a;b;c\",d\n1,2\n", "x").columns, (Names{"a;b;c", "d"}));
  EXPECT_EQ(parse_csv("text\nhello; you\n", "x").columns, (Names{"text"}));
}

TEST(Csv, TrimsColumnNamesAndNamesTheNameless) {
  EXPECT_EQ(parse_csv(", text ,label\n0,x,1\n", "x").columns, (Names{"column 1", "text", "label"}));
}

TEST(Csv, SaysWhereARowIsRagged) {
  EXPECT_INPUT_ERROR(parse_csv("text,label\n\"two\nlines\",1\na,b,c\n", "a.csv"),
                     "a.csv: line 4: expected 2 fields (as in the header), found 3");
  EXPECT_INPUT_ERROR(parse_csv("text,label\nalone\n", "a.csv"),
                     "a.csv: line 2: expected 2 fields (as in the header), found 1");
}

TEST(Csv, SaysWhereAQuoteIsWrong) {
  EXPECT_INPUT_ERROR(parse_csv("text,label\nok,1\n\"open,1\nmore,0\n", "a.csv"),
                     "a.csv: line 3: a quoted field begins here and never ends");
  EXPECT_INPUT_ERROR(parse_csv("text,label\n\"good\" film,1\n", "a.csv"),
                     "a.csv: line 2: found \" film,1\\x0A\" after a closing quote");
}

TEST(Csv, RefusesAHeaderAloneAndRepeatedNames) {
  EXPECT_INPUT_ERROR(parse_csv("text,label\n", "a.csv"), "a.csv: no rows of data");
  EXPECT_INPUT_ERROR(parse_csv("text,text\nx,y\n", "a.csv"),
                     "line 1: column \"text\" appears twice");
}

TEST(Csv, EnforcesItsLimits) {
  EXPECT_INPUT_ERROR(parse_csv("a,b,c\n1,2,3\n", "x", {.columns = 2}),
                     "line 1: more than 2 fields in one row");
  EXPECT_INPUT_ERROR(parse_csv("a\n12345\n", "x", {.field_bytes = 4}),
                     "line 2: a field of more than 4 bytes");
  EXPECT_INPUT_ERROR(parse_csv("a\n\"12\"\"45\"\n", "x", {.field_bytes = 4}),
                     "line 2: a field of more than 4 bytes");
  EXPECT_INPUT_ERROR(parse_csv("a,b\n1,2\n3,4\n5,6\n", "x", {.cells = 5}),
                     "line 4: more than 5 values");
}

TEST(Csv, LinesThatEndInACarriageReturnAloneAreNamed) {
  EXPECT_INPUT_ERROR(parse_csv("a,b\r1,2\r", "mac.csv"),
                     "mac.csv: the lines end in a carriage return alone");
}

}  // namespace
}  // namespace inlay
