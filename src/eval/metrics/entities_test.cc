#include "eval/metrics/entities.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace inlay {
namespace {

const std::vector<std::string> kTags = {"O",     "B-PER", "I-PER", "E-PER", "S-PER",
                                        "B-LOC", "I-LOC", "E-LOC", "S-LOC"};

std::vector<std::int32_t> ids(const std::string& words,
                              const std::vector<std::string>& names = kTags) {
  std::vector<std::int32_t> tags;
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    tags.push_back(
        static_cast<std::int32_t>(std::find(names.begin(), names.end(), word) - names.begin()));
  }
  return tags;
}

// "PER 0-1 LOC 3-3"
std::string read(const std::string& words, const std::vector<std::string>& names = kTags) {
  TagScheme scheme(names);
  std::string shown;
  for (const Entity& entity : scheme.entities(ids(words, names))) {
    shown += (shown.empty() ? "" : " ") + scheme.types()[entity.type] + " " +
             std::to_string(entity.first) + "-" + std::to_string(entity.last);
  }
  return shown;
}

TEST(Entities, AreReadFromIob2) {
  EXPECT_EQ(read("B-PER I-PER O B-LOC"), "PER 0-1 LOC 3-3");
  EXPECT_EQ(read("B-PER B-PER I-PER"), "PER 0-0 PER 1-2");
  EXPECT_EQ(read("O O"), "");
  EXPECT_EQ(read(""), "");
}

TEST(Entities, AreReadFromIob1) {
  EXPECT_EQ(read("I-PER I-PER B-PER I-PER O I-LOC"), "PER 0-1 PER 2-3 LOC 5-5");
}

TEST(Entities, AreReadFromIobes) {
  EXPECT_EQ(read("B-PER I-PER E-PER S-PER O B-LOC E-LOC"), "PER 0-2 PER 3-3 LOC 5-6");
}

TEST(Entities, HaveAReadingForStrayTags) {
  EXPECT_EQ(read("O I-PER I-PER"), "PER 1-2");
  EXPECT_EQ(read("B-PER I-LOC"), "PER 0-0 LOC 1-1");
  EXPECT_EQ(read("E-PER E-PER I-PER"), "PER 0-0 PER 1-1 PER 2-2");
  EXPECT_EQ(read("S-PER I-PER E-PER"), "PER 0-0 PER 1-2");
}

TEST(Entities, OfPlainTagsAreRuns) {
  std::vector<std::string> plain = {"O", "PER", "LOC", "S"};
  EXPECT_EQ(read("PER PER LOC O LOC S S", plain), "PER 0-1 LOC 2-2 LOC 4-4 S 5-6");
}

TEST(Entities, OfBarePrefixesHaveOneType) {
  EXPECT_EQ(read("B I O B", {"O", "B", "I"}), "_ 0-1 _ 3-3");
}

TEST(Entities, RefuseSchemesTheyCannotRead) {
  EXPECT_THROW(TagScheme(std::vector<std::string>{"O", "B-PER", "L-PER"}), Error);
  EXPECT_THROW(TagScheme(std::vector<std::string>{"O", "B-PER", "NOUN"}), Error);
}

// The example of seqeval's documentation: MISC 3-5 and PER 0-1 in truth, MISC 2-5 and PER 0-1
// predicted. One of two.
TEST(EntityScores, CountOnlyExactEntities) {
  std::vector<std::string> names = {"O", "B-MISC", "I-MISC", "B-PER", "I-PER"};
  std::vector<std::vector<std::int32_t>> truth = {ids("O O O B-MISC I-MISC I-MISC O", names),
                                                  ids("B-PER I-PER O", names)};
  std::vector<std::vector<std::int32_t>> predicted = {
      ids("O O B-MISC I-MISC I-MISC I-MISC O", names), ids("B-PER I-PER O", names)};
  EntityScores scores = entity_scores(names, truth, predicted);
  EXPECT_DOUBLE_EQ(scores.total.f1(), 0.5);
  EXPECT_EQ(scores.types, (std::vector<std::string>{"MISC", "PER"}));
  EXPECT_DOUBLE_EQ(scores.by_type[0].f1(), 0);
  EXPECT_DOUBLE_EQ(scores.by_type[1].f1(), 1);
  EXPECT_DOUBLE_EQ(macro_average(scores.by_type).f1, 0.5);
}

// Truth: PER 0-1, LOC 3-3, PER 5-5. Predicted: PER 0-1, PER 3-3. Precision 1/2, recall 1/3, F1 2/5.
TEST(EntityScores, NeedTheTypeToAgree) {
  std::vector<std::vector<std::int32_t>> truth = {ids("B-PER I-PER O B-LOC O B-PER")};
  std::vector<std::vector<std::int32_t>> predicted = {ids("B-PER I-PER O B-PER O O")};
  EntityScores scores = entity_scores(kTags, truth, predicted);
  EXPECT_DOUBLE_EQ(scores.total.precision(), 0.5);
  EXPECT_DOUBLE_EQ(scores.total.recall(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.total.f1(), 0.4);
}

TEST(EntityScores, KeepSequencesApart) {
  std::vector<std::vector<std::int32_t>> truth = {ids("O I-PER"), ids("I-PER O")};
  EXPECT_EQ(entity_scores(kTags, truth, truth).total.support, 2);
}

}  // namespace
}  // namespace inlay
