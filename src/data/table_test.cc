#include "data/table.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "data/test_files.h"

namespace inlay {
namespace {

TEST(ReadTable, ChoosesTheFormatByExtension) {
  TestFolder folder;
  EXPECT_EQ(read_table(folder.write("a.csv", "text,label\nx,1\n")).columns.size(), 2u);
  EXPECT_EQ(read_table(folder.write("a.tsv", "text, one\tlabel\nx\t1\n")).columns.size(), 2u);
  EXPECT_EQ(read_table(folder.write("a.jsonl", "{\"text\":\"x\"}\n")).columns.size(), 1u);
  EXPECT_EQ(read_table(folder.write("a.json", "[{\"text\":\"x\"}]")).rows(), 1u);
  EXPECT_EQ(read_table(folder.write("b.json", "{\"text\":\"x\"}\n{\"text\":\"y\"}\n")).rows(), 2u);
}

TEST(ReadTable, ChoosesTheFormatByContentWhenTheExtensionSaysNothing) {
  TestFolder folder;
  EXPECT_EQ(read_table(folder.write("a", "text;label\nx;1\n")).columns,
            (std::vector<std::string>{"text", "label"}));
  EXPECT_EQ(read_table(folder.write("b", "\n{\"text\":\"x\"}")).cells[0][0].text, "x");
  EXPECT_EQ(read_table(folder.write("c", " [{\"text\":\"y\"}]")).cells[0][0].text, "y");
}

TEST(ReadTable, RecordsTheHashOfTheBytesOnDisk) {
  TestFolder folder;
  std::string bytes = "\xEF\xBB\xBFtext\nx\n";
  EXPECT_EQ(read_table(folder.write("a.csv", bytes)).sha256, hex(sha256(bytes)));
}

TEST(ReadTable, SkipsAByteOrderMark) {
  TestFolder folder;
  EXPECT_EQ(read_table(folder.write("a.csv", "\xEF\xBB\xBFtext\nx\n")).columns[0], "text");
}

TEST(ReadTable, RefusesWhatIsNoUtf8Text) {
  TestFolder folder;
  EXPECT_INPUT_ERROR(read_table(folder.write("a.csv", "")), "a.csv: the file is empty");
  EXPECT_INPUT_ERROR(read_table(folder.write("b.csv", " \n\n")), "the file is empty");
  EXPECT_INPUT_ERROR(read_table(folder.write("c.csv", std::string("text\nab\0c\n", 10))),
                     "line 2, byte 3: found a NUL");
  EXPECT_INPUT_ERROR(read_table(folder.write("d.csv", "text\nok\nab\xFFz\n")),
                     "line 3, byte 3: invalid UTF-8 (byte 0xFF)");
  EXPECT_INPUT_ERROR(read_table(folder.write("e.csv", "text\n\xED\xA0\x80\n")),
                     "line 2, byte 1: invalid UTF-8");
  EXPECT_INPUT_ERROR(read_table(folder.write("f.csv", "text\n\xC3")),
                     "line 2, byte 1: invalid UTF-8");
  EXPECT_INPUT_ERROR(read_table(folder.write("g.csv", std::string("\xFF\xFEt\0", 4))), "UTF-16");
  EXPECT_INPUT_ERROR(read_table(folder.path() + "/none.csv"), "none.csv: cannot open");
}

TEST(ReadTable, EnforcesTheFileLimit) {
  TestFolder folder;
  EXPECT_INPUT_ERROR(read_table(folder.write("a.csv", "text\nlong enough\n"), {.file_bytes = 8}),
                     "more than the limit of 8");
}

TEST(Table, NamesTheColumnsThatExistAndTheNearestOne) {
  Table table;
  table.source = "a.csv";
  table.columns = {"review", "class"};
  EXPECT_EQ(table.column("class"), 1u);
  EXPECT_INPUT_ERROR(table.column("reviews"),
                     "a.csv: there is no column \"reviews\"; the columns are \"review\", "
                     "\"class\"; did you mean \"review\"?");
}

}  // namespace
}  // namespace inlay
