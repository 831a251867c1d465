#include <gtest/gtest.h>

#include <cmath>

#include "eval/task.h"

namespace inlay {
namespace {

// "one two three four": a question token, a separator, and the context's tokens from place 2 on.
class QuestionAnsweringTask : public testing::Test {
 protected:
  QuestionAnsweringTask() {
    source_.text = "q";
    source_.text_pair = "one zwö three four";
    example_.source = &source_;
    example_.tokens.ids = {2, 9, 5, 6, 7, 8};
    example_.windows = {{.first = 2, .characters = {{0, 3}, {4, 7}, {8, 13}, {14, 18}}}};
  }

  // Logits of starts and ends by token.
  ModelOutput output(const std::vector<float>& starts, const std::vector<float>& ends) const {
    std::vector<float> logits;
    for (std::size_t t = 0; t < starts.size(); ++t)
      logits.insert(logits.end(), {starts[t], ends[t]});
    return {&example_, task_->kept(example_, logits)};
  }

  Example source_;
  EncodedExample example_;
  std::unique_ptr<Task> task_ = find_task("question-answering").make({}, 0, {});
};

TEST_F(QuestionAnsweringTask, TakesTheBestSpanWithinTheContext) {
  // The question's token has the best start, and the best end lies before the best start.
  ModelOutput found = output({0, 9, 0, 3, 4, 0}, {0, 9, 5, 2, 4, 1});
  Json prediction = task_->prediction(found);
  EXPECT_EQ(prediction.at("answer"), "three");
  EXPECT_EQ(prediction.at("start"), 8);
  double starts = 3 + std::exp(9) + std::exp(3) + std::exp(4);
  double ends = 1 + std::exp(9) + std::exp(5) + std::exp(2) + std::exp(4) + std::exp(1);
  EXPECT_NEAR(prediction.at("score").get<double>(), std::exp(8) / (starts * ends), 1e-6);
  EXPECT_FALSE(prediction.contains("truth"));
}

TEST_F(QuestionAnsweringTask, CountsCharactersNotBytes) {
  EXPECT_EQ(task_->prediction(output({0, 0, 0, 5, 0, 0}, {0, 0, 0, 0, 5, 0})).at("answer"),
            "zwö three");
}

TEST_F(QuestionAnsweringTask, GivesNoAnswerWhereTheFirstTokenIsBetter) {
  Json prediction = task_->prediction(output({6, 0, 0, 5, 0, 0}, {5, 0, 0, 0, 5, 0}));
  EXPECT_EQ(prediction.at("answer"), "");
  EXPECT_TRUE(prediction.at("start").is_null());
}

// One window sure of no answer does not silence another that has found one.
TEST_F(QuestionAnsweringTask, LooksAtAllWindows) {
  example_.further = {{{2, 9, 7, 8}, {}, {}}};
  example_.windows[0].characters.resize(2);
  example_.tokens.ids.resize(4);
  example_.windows.push_back({.first = 2, .characters = {{8, 13}, {14, 18}}});
  ModelOutput found = output({9, 0, 0, 0, 1, 0, 0, 4}, {9, 0, 0, 0, 1, 0, 0, 4});
  EXPECT_EQ(task_->prediction(found).at("answer"), "four");
}

TEST_F(QuestionAnsweringTask, FiguresAreSquads) {
  source_.answers = {{{"zwö", 4}, {"one zwö", 0}}};
  Example none = source_;
  none.answers.emplace();
  EncodedExample unanswerable = example_;
  unanswerable.source = &none;
  ModelOutput right = output({0, 0, 0, 5, 0, 0}, {0, 0, 0, 5, 0, 0});
  ModelOutput half = output({0, 0, 0, 5, 0, 0}, {0, 0, 0, 0, 5, 0});
  ModelOutput wrong{&unanswerable, right.values};
  std::vector<ModelOutput> outputs{right, half, wrong};
  Json metrics = task_->metrics(outputs);
  EXPECT_NEAR(metrics.at("exact_match").get<double>(), 1.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("f1").get<double>(), (1 + 2.0 / 3 + 0) / 3, 1e-12);
  EXPECT_NEAR(metrics.at("answerable_f1").get<double>(), 5.0 / 6, 1e-12);
  EXPECT_EQ(metrics.at("no_answer_accuracy"), 0);
  EXPECT_LT(metrics.at("f1_interval").at(0), metrics.at("f1"));
  Json mistakes = task_->details(outputs).at("mistakes");
  ASSERT_EQ(mistakes.size(), 2u);
  EXPECT_EQ(mistakes[0].at("truth"), "no answer");
  EXPECT_EQ(mistakes[1].at("prediction"), "zwö three");
}

}  // namespace
}  // namespace inlay
