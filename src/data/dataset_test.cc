#include "data/dataset.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace inlay {
namespace {

using Names = std::vector<std::string>;
using Ids = std::vector<std::int32_t>;

class DatasetTest : public ::testing::Test {
 protected:
  Dataset load(const std::string& name, const std::string& bytes,
               TaskKind kind = TaskKind::kSingleLabel, ColumnNames columns = {},
               Names classes = {}) {
    return load_dataset({.from = {.paths = {folder_.write(name, bytes)}},
                         .columns = std::move(columns),
                         .kind = kind,
                         .classes = std::move(classes)});
  }
  TestFolder folder_;
};

TEST_F(DatasetTest, ReadsSingleLabelsWithGuessedColumns) {
  Dataset data = load("a.csv", "id,Review,class\n1,good,pos\n2,bad,neg\n3,fine,pos\n");
  EXPECT_EQ(data.columns.describe(), "text \"Review\" (guessed), label \"class\" (guessed)");
  EXPECT_EQ(data.classes, (Names{"neg", "pos"}));
  EXPECT_EQ(data.examples[0].class_id, 1);
  EXPECT_EQ(data.examples[1].text, "bad");
  EXPECT_EQ(data.place(2), folder_.path() + "/a.csv:4");
  EXPECT_EQ(data.files[0].rows, 3u);
}

TEST_F(DatasetTest, SortsIntegerLabelsByValueAndOthersByBytes) {
  EXPECT_EQ(load("a.csv", "text,label\na,10\nb,9\nc,-1\n").classes, (Names{"-1", "9", "10"}));
  EXPECT_EQ(load("b.csv", "text,label\na,10\nb,9\nc,x\n").classes, (Names{"10", "9", "x"}));
  EXPECT_EQ(load("c.jsonl", "{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}\n")
                .classes,
            (Names{"false", "true"}));
}

TEST_F(DatasetTest, FollowsAModelsOrderOfClasses) {
  std::string numbers = "text,label\na,1\nb,0\nc,1\n";
  Dataset data = load("a.csv", numbers, TaskKind::kSingleLabel, {}, {"NEGATIVE", "POSITIVE"});
  EXPECT_EQ(data.examples[0].class_id, 1);
  Dataset swapped = load("b.csv", numbers, TaskKind::kSingleLabel, {}, {"1", "0"});
  EXPECT_EQ(swapped.examples[0].class_id, 0);
  EXPECT_INPUT_ERROR(load("c.csv", numbers, TaskKind::kSingleLabel, {}, {"only"}),
                     "line 2: column \"label\": unknown label \"1\"");
}

TEST_F(DatasetTest, ReadsPairs) {
  Dataset data = load(
      "a.csv", "premise,hypothesis,label\nIt rains.,It is wet.,yes\nIt rains.,It is dry.,no\n");
  EXPECT_EQ(data.columns.describe(),
            "text \"premise\" (guessed), pair \"hypothesis\" (guessed), label \"label\" (guessed)");
  EXPECT_EQ(data.examples[1].text_pair, "It is dry.");
}

TEST_F(DatasetTest, UsesTheColumnsThatAreNamed) {
  Dataset data = load("a.csv", "text,other,verdict,label\na,b,1,x\nc,d,2,x\n",
                      TaskKind::kSingleLabel, {.text = "other", .label = "verdict"});
  EXPECT_EQ(data.columns.describe(), "text \"other\" (named), label \"verdict\" (named)");
  EXPECT_EQ(data.examples[0].text, "b");
  EXPECT_INPUT_ERROR(
      load("b.csv", "text,label\na,1\nb,2\n", TaskKind::kSingleLabel, {.text = "txt"}),
      "there is no column \"txt\"; the columns are \"text\", \"label\"; did you mean \"text\"?");
}

TEST_F(DatasetTest, SaysWhenNoColumnLooksRight) {
  EXPECT_INPUT_ERROR(load("a.csv", "foo,label\na,1\nb,2\n"),
                     "no column looks like a text; the columns are \"foo\", \"label\"");
  EXPECT_INPUT_ERROR(
      load("b.csv", "text,bar\na,1\nb,2\n"),
      "no column looks like a label; the columns are \"text\", \"bar\"; name one with "
      "--label-column");
}

TEST_F(DatasetTest, ReadsSetsOfLabels) {
  Dataset data = load("a.jsonl",
                      "{\"text\":\"a\",\"labels\":[\"y\",\"x\"]}\n{\"text\":\"b\",\"labels\":[]}\n{"
                      "\"text\":\"c\",\"labels\":\"y\"}\n",
                      TaskKind::kMultiLabel);
  EXPECT_EQ(data.classes, (Names{"x", "y"}));
  EXPECT_EQ(data.examples[0].class_ids, (Ids{0, 1}));
  EXPECT_TRUE(data.examples[1].class_ids.empty());
  EXPECT_EQ(data.examples[2].class_ids, (Ids{1}));
  EXPECT_INPUT_ERROR(
      load("b.jsonl", "{\"text\":\"a\",\"labels\":[\"y\",\"y\"]}\n", TaskKind::kMultiLabel),
      "expected different labels in one row");
}

TEST_F(DatasetTest, ReadsNumbersAsTargets) {
  Dataset data = load("a.csv", "text,score\na,0.5\nb, -2e1 \n", TaskKind::kRegression);
  EXPECT_EQ(data.examples[1].values, (std::vector<float>{-20.0f}));
  Dataset many = load("b.jsonl", "{\"text\":\"a\",\"target\":[1,2.5]}\n", TaskKind::kRegression);
  EXPECT_EQ(many.examples[0].values, (std::vector<float>{1.0f, 2.5f}));
}

TEST_F(DatasetTest, RefusesTargetsThatAreNoFiniteNumber) {
  for (std::string bad : {"nan", "inf", "-Infinity", "1e999", "1e39", "high", "1,5"}) {
    EXPECT_INPUT_ERROR(
        load("a.csv", "text,score\na,1\nb,\"" + bad + "\"\n", TaskKind::kRegression),
        "a.csv: line 3: column \"score\": found \"" + bad + "\"; expected a finite number");
  }
  EXPECT_INPUT_ERROR(
      load("b.jsonl", "{\"text\":\"a\",\"target\":[1,2]}\n{\"text\":\"b\",\"target\":1}\n",
           TaskKind::kRegression),
      "b.jsonl:2: found 1 numbers as the target; expected 2");
}

TEST_F(DatasetTest, ReadsTagsPerWord) {
  Dataset data = load("a.jsonl",
                      "{\"tokens\":[\"New\",\"York\"],\"ner_tags\":[\"B-LOC\",\"I-LOC\"]}\n{"
                      "\"tokens\":[\"x\"],\"ner_tags\":[\"O\"]}\n",
                      TaskKind::kTokenTags);
  EXPECT_EQ(data.classes, (Names{"B-LOC", "I-LOC", "O"}));
  EXPECT_EQ(data.examples[0].tag_ids, (Ids{0, 1}));
  EXPECT_EQ(data.examples[1].words, (Names{"x"}));
  EXPECT_INPUT_ERROR(
      load("b.jsonl",
           "{\"tokens\":[\"a\",\"b\"],\"tags\":[0]}\n{\"tokens\":[\"a\"],\"tags\":[1]}\n",
           TaskKind::kTokenTags),
      "line 1: column \"tags\": found 1 tags for 2 words");
  EXPECT_INPUT_ERROR(load("c.csv", "tokens,tags\na b,0 1\n", TaskKind::kTokenTags),
                     "expected a list of tags");
}

TEST_F(DatasetTest, ReadsUnlabelledTextsAndWords) {
  EXPECT_EQ(load("a.csv", "phrase\nhello\n", TaskKind::kUnlabelled).examples[0].text, "hello");
  EXPECT_EQ(
      load("b.jsonl", "{\"tokens\":[\"a\",\"b\"]}\n", TaskKind::kUnlabelled).examples[0].words,
      (Names{"a", "b"}));
  EXPECT_EQ(load("c.csv", "text,label\nhello,\n", TaskKind::kUnlabelled).columns.label.name, "");
}

TEST_F(DatasetTest, RefusesRowsThatCannotBeTrainedOn) {
  EXPECT_INPUT_ERROR(load("a.csv", "text,label\ngood,1\n  ,0\n"),
                     "a.csv: line 3: column \"text\": the text is empty");
  EXPECT_INPUT_ERROR(load("b.csv", "text,label\ngood,1\nbad,\n"),
                     "b.csv: line 3: column \"label\": found \"\"; expected a label");
  EXPECT_INPUT_ERROR(load("c.csv", "text,label\ngood,1\nbad,1\n"),
                     "column \"label\" has one class only (\"1\"); expected at least two");
  EXPECT_INPUT_ERROR(load("d.jsonl", "{\"text\":5,\"label\":1}\n{\"text\":\"a\",\"label\":0}\n"),
                     "d.jsonl: line 1: column \"text\": found the number 5; expected a text");
  EXPECT_INPUT_ERROR(
      load("e.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"label\":{}}\n"),
      "e.jsonl: line 2: column \"label\": found a nested or mixed value; expected a label");
  EXPECT_INPUT_ERROR(load("f.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\"}\n"),
                     "line 2: column \"label\": found nothing");
}

TEST_F(DatasetTest, NamesTheRowWhereTheLineDoesNotTell) {
  std::string array =
      "[{\"text\":\"a\",\"label\":1},{\"text\":\"b\",\"label\":0},\n{\"text\":\"c\",\"label\":";
  Dataset data = load("a.json", array + "1}]");
  EXPECT_TRUE(data.place(1).ends_with("a.json:1, row 2"));
  EXPECT_TRUE(data.place(2).ends_with("a.json:2"));
  EXPECT_INPUT_ERROR(load("b.json", "[{\"text\":\"a\",\"label\":1},{\"text\":\"b\"}]"),
                     "b.json: line 1, row 2: column \"label\": found nothing");
}

TEST_F(DatasetTest, TakesClassesFromTrainAndRefusesOthersInTest) {
  std::string train = folder_.write("train.csv", "text,label\na,x\nb,y\n");
  std::string test = folder_.write("test.csv", "text,label\nc,y\nd,z\n");
  EXPECT_INPUT_ERROR(
      load_dataset({.from = {.train = train, .test = test}}),
      "test.csv: line 3: column \"label\": unknown label \"z\"; expected one of \"x\", \"y\"");
}

TEST_F(DatasetTest, ReadsAFolderInNameOrderWithItsCard) {
  folder_.write("b.jsonl", "{\"phrase\":\"b\",\"mood\":1}\n");
  folder_.write("a.jsonl", "{\"phrase\":\"a\",\"mood\":0,\"label\":\"trap\"}\n");
  folder_.write("dataset.json",
                "{\"name\":\"x\",\"columns\":{\"text\":\"phrase\",\"label\":\"mood\"}}");
  folder_.write("README.md", "not data");
  Dataset data = load_dataset({.from = {.paths = {folder_.path()}}});
  EXPECT_EQ(data.columns.describe(),
            "text \"phrase\" (dataset.json), label \"mood\" (dataset.json)");
  EXPECT_EQ(data.examples[0].text + data.examples[1].text, "ab");
  EXPECT_FALSE(data.has_parts());
}

TEST_F(DatasetTest, ReadsAFolderOfPartsTrainFirst) {
  folder_.write("dev.csv", "text,label\nv,1\n");
  folder_.write("test.csv", "text,label\nt,0\n");
  folder_.write("train.csv", "text,label\na,0\nb,1\n");
  Dataset data = load_dataset({.from = {.paths = {folder_.path()}}});
  EXPECT_TRUE(data.has_parts());
  EXPECT_EQ(data.examples[0].text, "a");
  EXPECT_EQ(data.part(2), Part::kValidation);
  EXPECT_EQ(data.part(3), Part::kTest);
  folder_.write("extra.csv", "text,label\na,0\n");
  EXPECT_INPUT_ERROR(load_dataset({.from = {.paths = {folder_.path()}}}),
                     "found \"extra.csv\" beside a train file");
}

TEST_F(DatasetTest, RefusesAFolderWithoutDataAndACardItCannotRead) {
  EXPECT_INPUT_ERROR(load_dataset({.from = {.paths = {folder_.path()}}}), "no data files");
  folder_.write("a.csv", "text,label\na,1\nb,2\n");
  folder_.write("dataset.json", "{\"columns\": {\"txt\": \"text\"}}");
  EXPECT_INPUT_ERROR(load_dataset({.from = {.paths = {folder_.path()}}}),
                     "columns: unknown key \"txt\"");
}

TEST_F(DatasetTest, RefusesFilesWithOtherColumns) {
  std::string a = folder_.write("a.csv", "text,label\na,1\nb,2\n"),
              b = folder_.write("b.csv", "sentence,label\na,1\n");
  EXPECT_INPUT_ERROR(load_dataset({.from = {.paths = {a, b}}}),
                     "b.csv: there is no column \"text\"");
}

}  // namespace
}  // namespace inlay
