#include "eval/metrics/classification.h"

#include <cmath>
#include <numeric>

#include "base/error.h"

namespace inlay {
namespace {

double ratio(double numerator, double denominator) {
  return denominator == 0 ? 0 : numerator / denominator;
}

}  // namespace

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

ConfusionMatrix confusion_matrix(std::span<const std::int32_t> truth,
                                 std::span<const std::int32_t> predicted, std::size_t classes) {
  ensure(truth.size() == predicted.size() && !truth.empty(), "{} truths for {} predictions",
         truth.size(), predicted.size());
  ConfusionMatrix matrix{.classes = classes,
                         .counts = std::vector<std::int64_t>(classes * classes)};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto row = static_cast<std::size_t>(truth[i]), column = static_cast<std::size_t>(predicted[i]);
    ensure(row < classes && column < classes, "classes {} and {} of example {}, but there are {}",
           truth[i], predicted[i], i, classes);
    ++matrix.counts[row * classes + column];
  }
  return matrix;
}

double PrecisionRecall::precision() const {
  return ratio(static_cast<double>(hits), static_cast<double>(predicted));
}

double PrecisionRecall::recall() const {
  return ratio(static_cast<double>(hits), static_cast<double>(support));
}

// 2PR / (P + R) = 2 hits / (support + predicted)
double PrecisionRecall::f1() const {
  return ratio(2.0 * static_cast<double>(hits), static_cast<double>(support + predicted));
}

std::vector<PrecisionRecall> class_scores(const ConfusionMatrix& matrix) {
  std::vector<PrecisionRecall> scores(matrix.classes);
  for (std::size_t truth = 0; truth < matrix.classes; ++truth) {
    scores[truth].hits = matrix.at(truth, truth);
    for (std::size_t predicted = 0; predicted < matrix.classes; ++predicted) {
      scores[truth].support += matrix.at(truth, predicted);
      scores[predicted].predicted += matrix.at(truth, predicted);
    }
  }
  return scores;
}

MacroAverage macro_average(std::span<const PrecisionRecall> scores) {
  MacroAverage sum;
  double present = 0;
  for (const PrecisionRecall& score : scores) {
    if (!score.present()) continue;
    sum.precision += score.precision();
    sum.recall += score.recall();
    sum.f1 += score.f1();
    ++present;
  }
  return {.precision = ratio(sum.precision, present),
          .recall = ratio(sum.recall, present),
          .f1 = ratio(sum.f1, present)};
}

PrecisionRecall micro_total(std::span<const PrecisionRecall> scores) {
  PrecisionRecall total;
  for (const PrecisionRecall& score : scores) {
    total.hits += score.hits;
    total.support += score.support;
    total.predicted += score.predicted;
  }
  return total;
}

double accuracy(const ConfusionMatrix& matrix) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < matrix.classes; ++i) right += matrix.at(i, i);
  return ratio(static_cast<double>(right), static_cast<double>(matrix.total()));
}

double macro_f1(const ConfusionMatrix& matrix) { return macro_average(class_scores(matrix)).f1; }

double micro_f1(const ConfusionMatrix& matrix) { return micro_total(class_scores(matrix)).f1(); }

double mcc(const ConfusionMatrix& matrix) {
  // R_K = (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2)),
  // with s examples, c right ones, t_k of class k in truth and p_k in the predictions.
  PrecisionRecall total = micro_total(class_scores(matrix));
  auto s = static_cast<double>(total.support), c = static_cast<double>(total.hits);
  double products = 0, predicted_squares = 0, truth_squares = 0;
  for (const PrecisionRecall& score : class_scores(matrix)) {
    auto p = static_cast<double>(score.predicted), t = static_cast<double>(score.support);
    products += p * t;
    predicted_squares += p * p;
    truth_squares += t * t;
  }
  return ratio(c * s - products, std::sqrt((s * s - predicted_squares) * (s * s - truth_squares)));
}

}  // namespace inlay
