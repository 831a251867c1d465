#include "eval/metrics/answers.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Answers, AreComparedWithoutCaseArticlesPunctuationAndSpaces) {
  EXPECT_EQ(normalized_answer("  The U.S.A.,\tan  old-fashioned Ärger! "),
            "usa oldfashioned ärger");
  EXPECT_EQ(normalized_answer("theatre a\u00a0b the\u2013a"), "theatre b \u2013");
  EXPECT_EQ(exact_match("the Eiffel Tower.", {"London", "Eiffel tower"}), 1);
  EXPECT_EQ(exact_match("Eiffel", {"Eiffel tower"}), 0);
}

// Worked by hand: "cat sat on mat" shares 3 of its 4 words with the 5 of "cat sat on big red".
TEST(Answers, F1CountsSharedWordsWithRepeats) {
  EXPECT_DOUBLE_EQ(answer_f1("the cat sat on a mat", {"cat sat on big red"}), 6.0 / 9);
  EXPECT_DOUBLE_EQ(answer_f1("no no no", {"no no"}), 4.0 / 5);
  EXPECT_DOUBLE_EQ(answer_f1("cat", {"dog", "a cat!"}), 1);
  EXPECT_DOUBLE_EQ(answer_f1("cat", {"dog"}), 0);
}

TEST(Answers, AreRightlyEmptyWhereThereIsNone) {
  EXPECT_EQ(exact_match("", {}), 1);
  EXPECT_EQ(answer_f1("", {}), 1);
  EXPECT_EQ(answer_f1("cat", {}), 0);
  EXPECT_EQ(answer_f1("", {"cat"}), 0);
  EXPECT_EQ(exact_match("the", {}), 1);
  EXPECT_EQ(exact_match("", {"the", "cat"}), 0);
}

}  // namespace
}  // namespace inlay
