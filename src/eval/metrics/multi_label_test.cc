#include "eval/metrics/multi_label.h"

#include <gtest/gtest.h>

#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Flags = std::vector<std::uint8_t>;

TEST(MultiLabel, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["multi_label"]) {
    std::size_t labels = expected["labels"];
    auto scores =
        label_scores(expected["truth"].get<Flags>(), expected["predicted"].get<Flags>(), labels);
    EXPECT_NEAR(micro_total(scores).f1(), expected["micro_f1"], 1e-14);
    EXPECT_NEAR(macro_average(scores).f1, expected["macro_f1"], 1e-14);
    auto aucs = label_aucs(expected["scores"].get<std::vector<float>>(),
                           expected["truth"].get<Flags>(), labels);
    for (std::size_t label = 0; label < labels; ++label) {
      EXPECT_NEAR(*aucs[label], expected["auc"][label].get<double>(), 1e-14);
    }
  }
}

// Label 0: 1 hit, 1 missed, none wrong, F1 2/3. Label 1: 1 hit, 1 wrong, F1 2/3. Label 2 is
// nowhere.
TEST(MultiLabel, LeavesALabelThatIsNowhereOutOfTheMacroAverage) {
  Flags truth = {1, 1, 0, 1, 0, 0}, predicted = {1, 1, 0, 0, 1, 0};
  auto scores = label_scores(truth, predicted, 3);
  EXPECT_FALSE(scores[2].present());
  EXPECT_DOUBLE_EQ(macro_average(scores).f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(micro_total(scores).f1(), 4.0 / 6);
}

TEST(MultiLabel, HasNoAucForALabelThatAllOrNoneHave) {
  auto aucs = label_aucs(std::vector<float>{0.9f, 0.1f, 0.2f, 0.3f}, Flags{1, 0, 0, 0}, 2);
  EXPECT_DOUBLE_EQ(aucs[0].value(), 1);
  EXPECT_FALSE(aucs[1]);
}

// The three cases that MedMNIST's evaluation is checked by: plain, all equal, ties between kinds.
TEST(MultiLabel, HasTheAucOfMedMnist) {
  auto auc = [](const std::vector<float>& scores, const Flags& truth) {
    return label_aucs(scores, truth, 1)[0].value();
  };
  EXPECT_DOUBLE_EQ(auc({0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(auc({0.3f, 0.3f, 0.3f, 0.3f}, {0, 0, 1, 1}), 0.5);
  EXPECT_DOUBLE_EQ(auc({0.2f, 0.2f, 0.6f, 0.6f, 0.9f}, {0, 1, 0, 1, 1}), 4.0 / 6);
}

TEST(MultiLabel, LeavesUndefinedLabelsOutOfTheMeanAuc) {
  EXPECT_DOUBLE_EQ(mean_auc(std::vector<std::optional<double>>{1.0, std::nullopt, 0.5}).value(),
                   0.75);
  EXPECT_FALSE(mean_auc(std::vector<std::optional<double>>{std::nullopt}));
}

TEST(MultiLabel, CountsEveryDecisionAboutALabel) {
  EXPECT_DOUBLE_EQ(label_accuracy(Flags{1, 0, 0, 1, 1, 0}, Flags{1, 0, 1, 1, 0, 0}), 4.0 / 6);
}

}  // namespace
}  // namespace inlay
