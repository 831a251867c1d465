#include "eval/metrics/classification.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/metrics/expected_metrics.h"

namespace inlay {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(Classification, AgreesWithTheReference) {
  for (const Json& expected : expected_metrics()["classification"]) {
    std::size_t classes = expected["classes"];
    ConfusionMatrix matrix =
        confusion_matrix(expected["truth"].get<Ids>(), expected["predicted"].get<Ids>(), classes);
    EXPECT_EQ(matrix.counts, expected["confusion"].get<std::vector<std::int64_t>>());
    EXPECT_DOUBLE_EQ(accuracy(matrix), expected["accuracy"]);
    EXPECT_NEAR(mcc(matrix), expected["mcc"], 1e-14);
    EXPECT_DOUBLE_EQ(micro_f1(matrix), expected["micro_f1"]);
    MacroAverage macro = macro_average(class_scores(matrix));
    EXPECT_NEAR(macro.precision, expected["macro_precision"], 1e-14);
    EXPECT_NEAR(macro.recall, expected["macro_recall"], 1e-14);
    EXPECT_NEAR(macro.f1, expected["macro_f1"], 1e-14);
    EXPECT_DOUBLE_EQ(macro_f1(matrix), macro.f1);
  }
}

TEST(Classification, AgreesWithTheReferencePerClass) {
  for (const Json& expected : expected_metrics()["classification"]) {
    std::size_t classes = expected["classes"];
    ConfusionMatrix matrix =
        confusion_matrix(expected["truth"].get<Ids>(), expected["predicted"].get<Ids>(), classes);
    std::vector<PrecisionRecall> scores = class_scores(matrix);
    for (std::size_t id = 0; id < classes; ++id) {
      EXPECT_DOUBLE_EQ(scores[id].precision(), expected["precision"][id]);
      EXPECT_DOUBLE_EQ(scores[id].recall(), expected["recall"][id]);
      EXPECT_NEAR(scores[id].f1(), expected["f1"][id].get<double>(), 1e-15);
      EXPECT_EQ(scores[id].support, expected["support"][id]);
    }
  }
}

TEST(Classification, CountsRowsByTruth) {
  ConfusionMatrix matrix = confusion_matrix(Ids{0, 0, 1}, Ids{1, 1, 0}, 2);
  EXPECT_EQ(matrix.at(0, 1), 2);
  EXPECT_EQ(matrix.at(1, 0), 1);
  EXPECT_EQ(matrix.total(), 3);
}

// truth a a b, predicted a b b: precision 1 and 1/2, recall 1/2 and 1, both F1 2/3.
TEST(Classification, LeavesAClassThatIsNowhereOutOfTheMacroAverage) {
  EXPECT_DOUBLE_EQ(macro_f1(confusion_matrix(Ids{0, 0, 1}, Ids{0, 1, 1}, 2)), 2.0 / 3);
  EXPECT_DOUBLE_EQ(macro_f1(confusion_matrix(Ids{0, 0, 1}, Ids{0, 1, 1}, 5)), 2.0 / 3);
}

TEST(Classification, CountsAClassThatIsNeverPredictedAsZero) {
  // truth a b, predicted a a: a has F1 2/3, b has 0.
  ConfusionMatrix matrix = confusion_matrix(Ids{0, 1}, Ids{0, 0}, 2);
  EXPECT_DOUBLE_EQ(macro_f1(matrix), 1.0 / 3);
  EXPECT_EQ(class_scores(matrix)[1].precision(), 0);
}

// For two classes MCC = (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)); here 3, 2, 1, 2:
// (6 - 2) / sqrt(4 * 5 * 3 * 4) = 4 / sqrt(240).
TEST(Mcc, IsTheKnownFormulaForTwoClasses) {
  Ids truth = {1, 1, 1, 0, 0, 0, 1, 1}, predicted = {1, 1, 1, 0, 0, 1, 0, 0};
  EXPECT_DOUBLE_EQ(mcc(confusion_matrix(truth, predicted, 2)), 4.0 / std::sqrt(240.0));
}

TEST(Mcc, IsOneMinusOneOrZeroAtTheEdges) {
  EXPECT_DOUBLE_EQ(mcc(confusion_matrix(Ids{0, 1, 2}, Ids{0, 1, 2}, 3)), 1);
  EXPECT_DOUBLE_EQ(mcc(confusion_matrix(Ids{0, 1}, Ids{1, 0}, 2)), -1);
  EXPECT_EQ(mcc(confusion_matrix(Ids{0, 1, 2}, Ids{1, 1, 1}, 3)), 0);
  EXPECT_EQ(mcc(confusion_matrix(Ids{1, 1}, Ids{1, 1}, 2)), 0);
}

}  // namespace
}  // namespace inlay
