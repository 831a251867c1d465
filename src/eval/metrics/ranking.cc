#include "eval/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace inlay {

std::vector<double> average_ranks(std::span<const float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(!std::isnan(values[i]), ErrorKind::kInput,
            "the score of example {} is not a number; cannot rank it", i);
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    double rank = 1.0 + 0.5 * static_cast<double>(first + last);
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = rank;
    first = last + 1;
  }
  return ranks;
}

std::optional<double> roc_auc(std::span<const float> scores,
                              std::span<const std::uint8_t> positive) {
  ensure(scores.size() == positive.size(), "{} scores for {} examples", scores.size(),
         positive.size());
  std::vector<double> ranks = average_ranks(scores);
  double positives = 0, rank_sum = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (positive[i] == 0) continue;
    ++positives;
    rank_sum += ranks[i];
  }
  double negatives = static_cast<double>(ranks.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nullopt;
  // U = R - P(P + 1)/2;  AUC = U / (P N)
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

std::optional<double> roc_auc_one_vs_rest(std::span<const float> scores,
                                          std::span<const std::int32_t> truth,
                                          std::size_t classes) {
  ensure(scores.size() == truth.size() * classes, "{} scores for {} examples of {} classes",
         scores.size(), truth.size(), classes);
  std::vector<float> column(truth.size());
  std::vector<std::uint8_t> positive(truth.size());
  double sum = 0, defined = 0;
  for (std::size_t id = 0; id < classes; ++id) {
    for (std::size_t i = 0; i < truth.size(); ++i) {
      column[i] = scores[i * classes + id];
      positive[i] = truth[i] == static_cast<std::int32_t>(id);
    }
    if (auto auc = roc_auc(column, positive)) {
      sum += *auc;
      ++defined;
    }
  }
  if (defined == 0) return std::nullopt;
  return sum / defined;
}

}  // namespace inlay
