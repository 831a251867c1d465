#include "data/jsonl.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace inlay {
namespace {

using Names = std::vector<std::string>;

TEST(Jsonl, ReadsEveryKindOfValue) {
  Table table = parse_jsonl(
      R"({"s": "x\u00e9", "i": -3, "f": 0.50, "b": true, "n": null, "l": ["a"], "m": [1, 2.5], "e": [], "o": {"k": [1]}, "x": [1, "a"]})",
      "a.jsonl");
  std::vector<CellKind> kinds;
  for (const auto& column : table.cells) kinds.push_back(column[0].kind);
  EXPECT_EQ(kinds, (std::vector<CellKind>{
                       CellKind::kText, CellKind::kNumber, CellKind::kNumber, CellKind::kBoolean,
                       CellKind::kMissing, CellKind::kTextList, CellKind::kNumberList,
                       CellKind::kTextList, CellKind::kNested, CellKind::kNested}));
  EXPECT_EQ(table.cells[0][0].text, "xé");
  EXPECT_EQ(table.cells[1][0].text, "-3");
  EXPECT_EQ(table.cells[2][0].text, "0.50");
  EXPECT_EQ(table.cells[6][0].items, (Names{"1", "2.5"}));
}

TEST(Jsonl, FillsColumnsThatARowLacks) {
  Table table = parse_jsonl("{\"a\": \"1\"}\n\n{\"b\": \"2\"}\r\n", "a.jsonl");
  EXPECT_EQ(table.columns, (Names{"a", "b"}));
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(table.cells[0][1].kind, CellKind::kMissing);
  EXPECT_EQ(table.cells[1][0].kind, CellKind::kMissing);
  EXPECT_EQ(table.cells[1][1].text, "2");
}

TEST(Jsonl, KeepsNothingOfNestedValues) {
  Table table = parse_jsonl(
      R"({"meta": {"text": "inner", "list": ["a", ["b"]]}, "mixed": ["a", {"k": 1}, "b"], "text": "outer"})",
      "a");
  EXPECT_EQ(table.columns, (Names{"meta", "mixed", "text"}));
  EXPECT_TRUE(table.cells[0][0].text.empty() && table.cells[0][0].items.empty());
  EXPECT_EQ(table.cells[1][0].kind, CellKind::kNested);
  EXPECT_TRUE(table.cells[1][0].items.empty());
  EXPECT_EQ(table.cells[2][0].text, "outer");
}

TEST(Jsonl, SaysWhichLineIsNoJson) {
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": 1}\nhello\n", "a.jsonl"),
                     "a.jsonl: line 2: not valid JSON at \"h\"");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": 1} {\"a\": 2}\n", "a.jsonl"),
                     "a.jsonl: line 1: not valid JSON");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": NaN}\n", "a.jsonl"), "a.jsonl: line 1: not valid JSON");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": 1e999}\n", "a.jsonl"), "a.jsonl: line 1: not valid JSON");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": \"\\ud800\"}\n", "a.jsonl"),
                     "a.jsonl: line 1: not valid JSON");
}

TEST(Jsonl, SaysWhichRowIsNoObject) {
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": 1}\n[1]\n", "a.jsonl"),
                     "a.jsonl: line 2: found a list; expected a JSON object");
  EXPECT_INPUT_ERROR(parse_jsonl("\"text\"\n", "a.jsonl"),
                     "a.jsonl: line 1: found a string; expected a JSON object");
}

TEST(Jsonl, RefusesAKeyThatAppearsTwice) {
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\": 1, \"a\": 2}\n", "a.jsonl"),
                     "line 1: key \"a\" appears twice");
}

TEST(Jsonl, SurvivesDeepNesting) {
  std::string deep = "{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_EQ(parse_jsonl(deep, "a").cells[0][0].kind, CellKind::kNested);
}

TEST(Jsonl, EnforcesItsLimits) {
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\":1,\"b\":2}\n", "x", {.columns = 1}),
                     "line 1: more than 1 columns");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\":\"12345\"}\n", "x", {.field_bytes = 4}),
                     "a string of 5 bytes; the limit is 4");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\":[1,2,3,4]}\n", "x", {.cells = 4}),
                     "line 1: more than 4 values");
  EXPECT_INPUT_ERROR(parse_jsonl("{\"a\":1}\n", "x", {.row_bytes = 4}),
                     "line 1: a row of 7 bytes; the limit is 4");
}

TEST(JsonArray, ReadsObjectsOverManyLines) {
  Table table = parse_json_array(
      "[\n {\"text\": \"a ] , } \\\" b\",\n  \"label\": 1},\n {\"text\": \"c\", \"label\": 0}\n]\n",
      "a.json");
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{2, 4}));
  EXPECT_EQ(table.cells[0][0].text, "a ] , } \" b");
  EXPECT_EQ(table.cells[1][1].text, "0");
}

TEST(JsonArray, SaysWhereItIsBroken) {
  EXPECT_INPUT_ERROR(parse_json_array("[]", "a.json"), "a.json: no rows of data");
  EXPECT_INPUT_ERROR(parse_json_array("[{\"a\": 1}, ]", "a.json"),
                     "a.json: line 1: not valid JSON");
  EXPECT_INPUT_ERROR(parse_json_array("[{\"a\": 1},\n 7]", "a.json"),
                     "a.json: line 2: found a number; expected a JSON object");
  EXPECT_INPUT_ERROR(parse_json_array("[{\"a\": 1}", "a.json"),
                     "the list that begins on line 1 never ends");
  EXPECT_INPUT_ERROR(parse_json_array("[\"a", "a.json"),
                     "the list that begins on line 1 never ends");
  EXPECT_INPUT_ERROR(parse_json_array("[{\"a\": 1}]\nx", "a.json"),
                     "line 2: found \"x\" after the list's end");
  EXPECT_INPUT_ERROR(parse_json_array("[{\"a\":\n 1,\n b}]", "a.json"),
                     "a.json: line 3: not valid JSON");
}

}  // namespace
}  // namespace inlay
