#include "data/task_rows.h"

#include <gtest/gtest.h>

#include "data/characters.h"
#include "data/test_files.h"

namespace inlay {
namespace {

class TaskRows : public ::testing::Test {
 protected:
  Dataset load(TaskKind kind, const std::string& name, const std::string& bytes,
               ColumnNames columns = {}, bool targets = true) {
    return load_dataset({.from = {.paths = {folder_.write(name, bytes)}},
                         .columns = std::move(columns),
                         .kind = kind,
                         .targets = targets});
  }
  Example one(TaskKind kind, const std::string& name, const std::string& bytes) {
    return load(kind, name, bytes).examples.at(0);
  }
  TestFolder folder_;
};

using Texts = std::vector<std::string>;

TEST(Characters, AreCodePointsNotBytes) {
  EXPECT_EQ(character_count("añb€"), 4);
  EXPECT_EQ(characters("añb€c", 1, 4), "ñb€");
  EXPECT_EQ(characters("añ", 1, 9), "ñ");
  EXPECT_EQ(byte_of_character("ñb", 1), 2u);
}

TEST_F(TaskRows, ReadsAnswersAsSquadWritesThem) {
  Dataset data = load(TaskKind::kQuestionAnswering, "a.jsonl",
                      R"({"id": "1", "question": "Who?", "context": "Né à Rome, Ann sang.",)"
                      R"( "answers": {"text": ["Ann", "Rome, Ann"], "answer_start": [11, 5]}})"
                      "\n"
                      R"({"id": "2", "question": "When?", "context": "Ann sang.",)"
                      R"( "answers": {"text": [], "answer_start": []}})");
  EXPECT_EQ(data.columns.describe(),
            "text \"question\" (guessed), pair \"context\" (guessed), label \"answers\" (guessed)");
  ASSERT_EQ(data.examples[0].answers->size(), 2u);
  EXPECT_EQ(data.examples[0].answers->at(1).text, "Rome, Ann");
  EXPECT_EQ(data.examples[0].answers->at(0).start, 11);
  EXPECT_TRUE(data.examples[1].answers.has_value() && data.examples[1].answers->empty());
}

TEST_F(TaskRows, ReadsFlatAnswersAndFindsThoseWithoutAStart) {
  Example with = one(TaskKind::kQuestionAnswering, "a.csv",
                     "question,context,answer,answer_start\nq,a b a,a,4\n");
  EXPECT_EQ(with.answers->at(0).start, 4);
  Example without =
      one(TaskKind::kQuestionAnswering, "b.csv", "question,context,answer\nq,é b é,b\n");
  EXPECT_EQ(without.answers->at(0).start, 2);
  Example none = one(TaskKind::kQuestionAnswering, "c.csv", "question,context,answer\nq,a b,\n");
  EXPECT_TRUE(none.answers->empty());
}

TEST_F(TaskRows, RefusesAnswersThatAreNotInTheContext) {
  auto kind = TaskKind::kQuestionAnswering;
  EXPECT_INPUT_ERROR(load(kind, "a.csv", "question,context,answer\nq,a b,c\n"),
                     "the answer \"c\" is not in the context");
  EXPECT_INPUT_ERROR(
      load(kind, "b.csv", "question,context,answer,answer_start\nq,one two,two,3\n"),
      "the answer \"two\" is not at character 3 of the context, where \" tw\" stands");
  EXPECT_INPUT_ERROR(load(kind, "c.csv", "question,context,answer,answer_start\nq,a b,b,-1\n"),
                     "the answer begins at \"-1\"");
  EXPECT_INPUT_ERROR(load(kind, "d.jsonl",
                          R"({"question":"q","context":"a","answers":)"
                          R"({"text":["a"],"answer_start":[0,1]}})"),
                     "1 answers with 2 starts");
  EXPECT_INPUT_ERROR(
      load(kind, "e.jsonl", R"({"question":"q","context":"a","answers":{"text":"a"}})"),
      "\"text\" is string; expected a list");
  EXPECT_INPUT_ERROR(load(kind, "f.jsonl", R"({"question":"q","context":"a","other":1})"),
                     "no column looks like the answers");
  EXPECT_INPUT_ERROR(load(kind, "g.csv", "question,answer\nq,a\n"), "looks like a context");
}

TEST_F(TaskRows, NeedsNoAnswersWhereNobodyLearns) {
  Dataset data =
      load(TaskKind::kQuestionAnswering, "a.csv", "question,context\nq,a b\n", {}, false);
  EXPECT_FALSE(data.examples[0].answers.has_value());
}

TEST_F(TaskRows, ReadsChoicesInTheFormsOfWellKnownData) {
  auto kind = TaskKind::kMultipleChoice;
  Example list = one(kind, "a.jsonl", R"({"question":"q","choices":["x","y","z"],"label":2})");
  EXPECT_EQ(list.further, (Texts{"x", "y", "z"}));
  EXPECT_EQ(list.class_id, 2);
  Example swag =
      one(kind, "b.csv", "sent1,sent2,ending0,ending1,ending2,ending3,label\nc,q,e,f,g,h,1\n");
  EXPECT_EQ(swag.text, "q");
  EXPECT_EQ(swag.text_pair, "c");
  EXPECT_EQ(swag.further, (Texts{"e", "f", "g", "h"}));
  EXPECT_EQ(swag.class_id, 1);
  Example arc = one(kind, "c.jsonl",
                    R"({"question":"q","choices":{"text":["x","y"],"label":["1","2"]},)"
                    R"("answerKey":"1"})");
  EXPECT_EQ(arc.class_id, 0);
  Example race =
      one(kind, "d.jsonl", R"({"article":"c","question":"q","options":["x","y"],"answer":"B"})");
  EXPECT_EQ(race.class_id, 1);
  EXPECT_EQ(one(kind, "e.csv", "goal,sol1,sol2,label\nq,do,do not,do not\n").class_id, 1);
}

TEST_F(TaskRows, RefusesChoicesThatAreNone) {
  auto kind = TaskKind::kMultipleChoice;
  EXPECT_INPUT_ERROR(load(kind, "a.jsonl", R"({"question":"q","choices":["x"],"label":0})"),
                     "found 1 choice; expected at least two");
  EXPECT_INPUT_ERROR(load(kind, "b.jsonl", R"({"question":"q","choices":["x","y"],"label":2})"),
                     "the label \"2\" is none of 2 choices; expected a number from 0 to 1");
  EXPECT_INPUT_ERROR(load(kind, "c.jsonl", R"({"question":"q","choices":["x"," "],"label":0})"),
                     "choice 1 is empty");
  EXPECT_INPUT_ERROR(load(kind, "d.csv", "question,label\nq,0\n"), "no column looks like choices");
}

TEST_F(TaskRows, ReadsPairsTripletsAndScores) {
  Example pair = one(TaskKind::kTextPairs, "a.csv", "anchor,positive,negative\na,p,n\n");
  EXPECT_EQ(pair.text_pair, "p");
  EXPECT_EQ(pair.further, Texts{"n"});
  EXPECT_TRUE(one(TaskKind::kTextPairs, "b.csv", "question,answer\na,p\n").further.empty());
  Dataset named = load(TaskKind::kTextTriplets, "c.csv", "x,y,z\na,p,n\n",
                       {.text = "x", .text_pair = "y", .further = "z"});
  EXPECT_EQ(named.examples[0].further, Texts{"n"});
  Example scored = one(TaskKind::kScoredPairs, "d.csv", "sentence1,sentence2,score\na,b,0.5\n");
  EXPECT_EQ(scored.values, std::vector<float>{0.5f});
  EXPECT_INPUT_ERROR(load(TaskKind::kScoredPairs, "e.csv", "sentence1,sentence2,score\na,b,4.5\n"),
                     "the score is 4.5; expected one number between -1 and 1");
  EXPECT_INPUT_ERROR(load(TaskKind::kTextTriplets, "f.csv", "anchor,positive\na,p\n"),
                     "does not go with the anchor");
}

}  // namespace
}  // namespace inlay
