// The tasks over embeddings, and multiple choice: what is compared with what, and the figures.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "eval/embeddings.h"
#include "eval/task.h"

namespace inlay {
namespace {

// Outputs made of the vectors of each example's texts.
class Outputs {
 public:
  void add(Example source, const std::vector<std::vector<float>>& vectors) {
    EncodedExample& example = examples_.emplace_back();
    example.source = &sources_.emplace_back(std::move(source));
    example.further.resize(vectors.size() - 1);
    std::vector<float> values;
    for (const auto& vector : vectors) values.insert(values.end(), vector.begin(), vector.end());
    all_.push_back({&example, values});
  }
  std::span<const ModelOutput> all() const { return all_; }

 private:
  std::deque<Example> sources_;
  std::deque<EncodedExample> examples_;
  std::vector<ModelOutput> all_;
};

std::unique_ptr<Task> made(const char* name) { return find_task(name).make({}, 2, {}); }

// Its own text is nearest for the first, second-nearest for the second; the third's own text occurs
// twice.
TEST(SentenceRetrieval, RanksEachOwnTextAmongAll) {
  Outputs outputs;
  outputs.add({.text = "a", .text_pair = "A"}, {{1, 0}, {2, 0}});
  outputs.add({.text = "b", .text_pair = "B", .further = {"N"}}, {{0, 1}, {1, 1}, {-1, 5}});
  outputs.add({.text = "c", .text_pair = "A"}, {{3, 0}, {1, 0}});
  EXPECT_EQ(retrieval_ranks(outputs.all()), (std::vector<int64_t>{1, 2, 1}));
  Json metrics = made("sentence-retrieval")->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("recall_at_1").get<double>(), 2.0 / 3, 1e-12);
  EXPECT_EQ(metrics.at("recall_at_5"), 1);
  EXPECT_NEAR(metrics.at("mean_reciprocal_rank").get<double>(), 2.5 / 3, 1e-12);
  EXPECT_TRUE(metrics.contains("recall_at_10_interval"));
}

// A model that gives one vector for every text finds nothing.
TEST(SentenceRetrieval, CountsTiesAgainstTheModel) {
  Outputs outputs;
  for (const char* text : {"a", "b", "c"})
    outputs.add({.text = text, .text_pair = std::string("of ") + text}, {{1, 1}, {1, 1}});
  EXPECT_EQ(retrieval_ranks(outputs.all()), (std::vector<int64_t>{3, 3, 3}));
}

TEST(SentenceRetrieval, ComparesAnAnchorWithAllTextsButTheSameAgain) {
  EncodedExample first, second, third;
  first.further = {{{7}, {}, {}}};
  second.further = {{{8}, {}, {}}, {{9}, {}, {}}};
  third.further = {{{7}, {}, {}}};
  std::vector<const EncodedExample*> all{&first, &second, &third};
  std::unique_ptr<Task> task = made("sentence-retrieval");
  EXPECT_TRUE(task->couples_batch());
  BatchTargets targets = task->targets(all);
  EXPECT_EQ(
      targets.pairs,
      (RowPairs{{0, 1}, {0, 3}, {0, 4}, {2, 3}, {2, 1}, {2, 4}, {2, 6}, {5, 6}, {5, 3}, {5, 4}}));
  EXPECT_EQ(targets.groups.offsets, (std::vector<int64_t>{0, 3, 7, 10}));
}

TEST(SentenceTriplets, AreRightWhereThePositiveIsNearer) {
  Outputs outputs;
  Example source{.text = "a", .text_pair = "p", .further = {"n"}};
  outputs.add(source, {{1, 0}, {1, 0.5f}, {0, 1}});
  outputs.add(source, {{1, 0}, {9, 0}, {1, 0.5f}});  // by the cosine alone
  outputs.add(source, {{1, 0}, {0, 1}, {1, 0}});
  std::unique_ptr<Task> task = made("sentence-triplets");
  Json metrics = task->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("cosine_accuracy").get<double>(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("euclidean_accuracy").get<double>(), 1.0 / 3, 1e-12);
  EXPECT_EQ(task->details(outputs.all()).at("mistakes").size(), 1u);
  EXPECT_EQ(task->prediction(outputs.all()[2]).at("right"), false);
}

TEST(SentenceSimilarity, IsJudgedByTheOrderOfTheCosines) {
  Outputs outputs;
  outputs.add({.text = "a", .text_pair = "b", .values = {0.1f}}, {{1, 0}, {0, 1}});
  outputs.add({.text = "a", .text_pair = "b", .values = {0.2f}}, {{1, 0}, {1, 1}});
  outputs.add({.text = "a", .text_pair = "b", .values = {1}}, {{1, 0}, {3, 0}});
  std::unique_ptr<Task> task = made("sentence-similarity");
  Json metrics = task->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("spearman").get<double>(), 1, 1e-12);
  EXPECT_LT(metrics.at("pearson").get<double>(), 0.99);
  double middle = std::sqrt(0.5) - 0.2;
  EXPECT_NEAR(metrics.at("mse").get<double>(), (0.01 + middle * middle) / 3, 1e-6);
  EXPECT_EQ(task->details(outputs.all()).at("scatter").at("points").size(), 3u);
}

TEST(MultipleChoice, PicksTheBestOfHoweverManyChoices) {
  Outputs outputs;
  outputs.add({.text = "q", .further = {"x", "y"}, .class_id = 1}, {{0}, {1}});
  outputs.add({.text = "q", .further = {"x", "y", "z"}, .class_id = 0}, {{0}, {0}, {2}});
  std::unique_ptr<Task> task = made("multiple-choice");
  Json metrics = task->metrics(outputs.all());
  EXPECT_EQ(metrics.at("accuracy"), 0.5);
  EXPECT_NEAR(metrics.at("chance_accuracy").get<double>(), (1.0 / 2 + 1.0 / 3) / 2, 1e-12);
  double loss = std::log(1 + std::exp(-1.0)) + std::log(2 + std::exp(2.0));
  EXPECT_NEAR(metrics.at("log_loss").get<double>(), loss / 2, 1e-6);
  Json prediction = task->prediction(outputs.all()[1]);
  EXPECT_EQ(prediction.at("choice"), "z");
  EXPECT_EQ(prediction.at("truth"), 0);
  Json mistakes = task->details(outputs.all()).at("mistakes");
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_EQ(mistakes[0].at("prediction"), "z");
}

}  // namespace
}  // namespace inlay
