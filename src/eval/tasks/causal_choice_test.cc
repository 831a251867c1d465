#include <gtest/gtest.h>

#include <deque>

#include "eval/choice_continuations.h"
#include "eval/decoder_case.h"

namespace inlay {
namespace {

class CausalChoice : public testing::Test {
 protected:
  CausalChoice() : learner_(decoder_.learner("causal-choice")) {}

  // A question with a loss for each token of each choice.
  ModelOutput output(const std::vector<std::string>& choices,
                     const std::vector<std::vector<float>>& losses, int32_t truth) {
    sources_.push_back({.further = choices});
    sources_.back().class_id = truth;
    EncodedExample& example = examples_.emplace_back();
    example.source = &sources_.back();
    ModelOutput output{&example, {}};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      TokenSequence sequence;
      sequence.asked.resize(losses[i].size());
      output.values.insert(output.values.end(), losses[i].begin(), losses[i].end());
      if (i == 0) {
        example.tokens = std::move(sequence);
      } else {
        example.further.push_back(std::move(sequence));
      }
    }
    return output;
  }

  DecoderCase decoder_;
  Learner learner_;
  std::deque<Example> sources_;
  std::deque<EncodedExample> examples_;
};

// Choices that go on as the golden row does, for two, one and three tokens: what PyTorch's logits
// give.
TEST_F(CausalChoice, AChoiceHasTheLogProbabilityOfItsTokens) {
  ASSERT_GE(decoder_.row.size(), 6u);
  constexpr std::size_t kQuestion = 3;
  const std::vector<std::size_t> lengths{2, 1, 3};
  Dataset data;
  data.kind = TaskKind::kMultipleChoice;
  data.files.push_back({.path = "questions.jsonl"});
  Example question{.text = decoder_.text(0, kQuestion)};
  for (std::size_t length : lengths)
    question.further.push_back(decoder_.text(kQuestion, kQuestion + length));
  data.examples = {question, question};
  Tokenizer tokenizer = word_tokenizer();
  auto examples = encode_continuations(data, tokenizer, decoder_.model->facts(), 64);
  std::vector<ModelOutput> outputs = predicted(learner_, examples);
  ASSERT_EQ(outputs.size(), 2u);
  for (const ModelOutput& output : outputs) {
    Json prediction = learner_.task->prediction(output);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      double expected = 0;
      for (std::size_t t = kQuestion; t < kQuestion + lengths[i]; ++t)
        expected += decoder_.expected_log_probability(t);
      EXPECT_NEAR(prediction.at("log_probabilities")[i].get<double>(), expected,
                  1e-5 * std::fabs(expected));
    }
    EXPECT_EQ(prediction.at("label"), 1);  // the shortest: all sums are of the same terms
    EXPECT_EQ(prediction.at("choice"), question.further[1]);
  }
}

// Sums of -1 and -2; by character -1 / 2 and -2 / 8.
TEST_F(CausalChoice, NormalisedScoresAreByCharacter) {
  Json prediction =
      learner_.task->prediction(output({"éé", "abcdefgh"}, {{1.0f}, {0.5f, 1.5f}}, 1));
  EXPECT_EQ(prediction.at("label"), 0);
  EXPECT_EQ(prediction.at("label_normalised"), 1);
  EXPECT_EQ(prediction.at("log_probabilities"), Json({-1.0, -2.0}));
  EXPECT_EQ(prediction.at("truth"), 1);
  // In bytes it would be -1 / 4 and -2 / 7: the first choice.
  prediction = learner_.task->prediction(output({"éé", "abcdefg"}, {{1.0f}, {2.0f}}, 1));
  EXPECT_EQ(prediction.at("label_normalised"), 1);
}

TEST_F(CausalChoice, FiguresAreSharesOfQuestionsWithIntervals) {
  std::vector<ModelOutput> outputs;
  for (int i = 0; i < 3; ++i)  // right by sum and by character
    outputs.push_back(output({"a", "b"}, {{1.0f}, {2.0f}}, 0));
  outputs.push_back(output({"a", "bcde", "f", "g"}, {{1.0f}, {2.0f}, {3.0f}, {4.0f}}, 1));
  Json metrics = learner_.task->metrics(outputs);
  EXPECT_EQ(metrics.at("accuracy"), 0.75);
  EXPECT_EQ(metrics.at("accuracy_normalised"), 1.0);
  EXPECT_EQ(metrics.at("chance_accuracy"), (3 * 0.5 + 0.25) / 4);
  EXPECT_EQ(metrics.at("accuracy_normalised_interval"), Json({1.0, 1.0}));
  // Four draws with 3/4 each: no hit in 0.4 % of the resamples, at most one in 5 %, all in 32 %.
  EXPECT_EQ(metrics.at("accuracy_interval"), Json({0.25, 1.0}));
}

// The first of equals, as numpy's argmax has it.
TEST_F(CausalChoice, ATieGoesToTheFirst) {
  Json prediction = learner_.task->prediction(output({"a", "b"}, {{2.0f}, {2.0f}}, 1));
  EXPECT_EQ(prediction.at("label"), 0);
}

TEST_F(CausalChoice, IsForAskingAlone) {
  try {
    require_trainable(find_task("causal-choice"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "task causal-choice has no loss of its own; use it with inlay eval or predict");
  }
}

}  // namespace
}  // namespace inlay
