// Measures of single-label classification, all from one confusion matrix.
//
//   ConfusionMatrix matrix = confusion_matrix(truth, predicted, classes.size());
//   accuracy(matrix), macro_f1(matrix), mcc(matrix), class_scores(matrix)[0].recall
//
// Definitions at the edges (scikit-learn's defaults, where it has one):
// - precision is 0 for a class that is never predicted, recall is 0 for one that never occurs, F1
// is 0 when both are;
// - a class that neither occurs nor is predicted is left out of every macro average;
// - with one label per example micro precision, recall and F1 are all equal to accuracy;
// - MCC is 0 when the predictions or the truth are constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace inlay {

struct ConfusionMatrix {
  std::size_t classes = 0;
  std::vector<std::int64_t> counts;  // (truth, predicted), row-major
  std::int64_t at(std::size_t truth, std::size_t predicted) const {
    return counts[truth * classes + predicted];
  }
  std::int64_t total() const;
};

// REQUIRES: as many predictions as truths, at least one, all ids in [0, classes).
ConfusionMatrix confusion_matrix(std::span<const std::int32_t> truth,
                                 std::span<const std::int32_t> predicted, std::size_t classes);

// Precision, recall and F1 from counts of hits; how many exist (support) and how many were
// predicted.
struct PrecisionRecall {
  std::int64_t hits = 0;
  std::int64_t support = 0;
  std::int64_t predicted = 0;
  double precision() const;
  double recall() const;
  double f1() const;
  bool present() const { return support > 0 || predicted > 0; }
};

std::vector<PrecisionRecall> class_scores(const ConfusionMatrix& matrix);

struct MacroAverage {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

// The plain mean over those present; all 0 when none is.
MacroAverage macro_average(std::span<const PrecisionRecall> scores);
// Counts summed over classes first.
PrecisionRecall micro_total(std::span<const PrecisionRecall> scores);

double accuracy(const ConfusionMatrix& matrix);
double macro_f1(const ConfusionMatrix& matrix);
double micro_f1(const ConfusionMatrix& matrix);

// Matthews correlation for any number of classes, R_K of Gorodkin 2004, "Comparing two K-category
// assignments by a K-category correlation coefficient".
double mcc(const ConfusionMatrix& matrix);

}  // namespace inlay
