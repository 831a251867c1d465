#include "eval/metrics/multi_label.h"

#include "base/error.h"
#include "eval/metrics/ranking.h"

namespace inlay {
namespace {

void check_shape(std::size_t a, std::size_t b, std::size_t labels) {
  ensure(a == b && labels > 0 && a % labels == 0, "matrices of {} and {} values for {} labels", a,
         b, labels);
}

}  // namespace

std::vector<PrecisionRecall> label_scores(std::span<const std::uint8_t> truth,
                                          std::span<const std::uint8_t> predicted,
                                          std::size_t labels) {
  check_shape(truth.size(), predicted.size(), labels);
  std::vector<PrecisionRecall> scores(labels);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    PrecisionRecall& score = scores[i % labels];
    score.support += truth[i] != 0;
    score.predicted += predicted[i] != 0;
    score.hits += truth[i] != 0 && predicted[i] != 0;
  }
  return scores;
}

std::vector<std::optional<double>> label_aucs(std::span<const float> scores,
                                              std::span<const std::uint8_t> truth,
                                              std::size_t labels) {
  check_shape(scores.size(), truth.size(), labels);
  std::size_t n = truth.size() / labels;
  std::vector<float> column(n);
  std::vector<std::uint8_t> positive(n);
  std::vector<std::optional<double>> aucs;
  for (std::size_t label = 0; label < labels; ++label) {
    for (std::size_t i = 0; i < n; ++i) {
      column[i] = scores[i * labels + label];
      positive[i] = truth[i * labels + label];
    }
    aucs.push_back(roc_auc(column, positive));
  }
  return aucs;
}

std::optional<double> mean_auc(std::span<const std::optional<double>> aucs) {
  double sum = 0;
  std::size_t count = 0;
  for (const std::optional<double>& area : aucs) {
    if (!area.has_value()) continue;
    sum += *area;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

double label_accuracy(std::span<const std::uint8_t> truth,
                      std::span<const std::uint8_t> predicted) {
  check_shape(truth.size(), predicted.size(), 1);
  std::size_t right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) right += (truth[i] != 0) == (predicted[i] != 0);
  return static_cast<double>(right) / static_cast<double>(truth.size());
}

}  // namespace inlay
