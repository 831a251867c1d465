#include "eval/metrics/verification.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "eval/metrics/ranking.h"
#include "eval/statistics.h"

namespace inlay {
namespace {

constexpr int kThresholds = 400;
constexpr double kThresholdsPerUnit = 100;

// All pairs of one kind, numbered: by identity, then as the examples stand.
class NumberedPairs {
 public:
  NumberedPairs(std::span<const int32_t> identities, bool same) : order_(identities.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return identities[a] < identities[b]; });
    std::size_t end = 0;  // of the identity
    partners_.reserve(order_.size());
    starts_.reserve(order_.size() + 1);
    for (std::size_t place = 0; place < order_.size(); ++place) {
      while (end < order_.size() && identities[order_[end]] == identities[order_[place]]) ++end;
      std::size_t first = same ? place + 1 : end, last = same ? end : order_.size();
      partners_.push_back(first);
      starts_.push_back(starts_.back() + (last - first));
    }
  }

  uint64_t count() const { return starts_.back(); }

  std::pair<std::size_t, std::size_t> at(uint64_t number) const {
    auto after = std::upper_bound(starts_.begin(), starts_.end(), number);
    auto place = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return {order_[place], order_[partners_[place] + (number - starts_[place])]};
  }

 private:
  std::vector<std::size_t> order_;     // of the examples
  std::vector<std::size_t> partners_;  // of each place in the order, where its partners begin
  std::vector<uint64_t> starts_{0};    // the number of each place's first pair, then the count
};

// So many different numbers below `count`, ascending (Floyd's algorithm; Bentley 1987, "A sample of
// brilliance").
std::vector<uint64_t> drawn_numbers(uint64_t count, uint64_t wanted, const Stream& stream) {
  std::set<uint64_t> drawn;
  for (uint64_t last = count - wanted; last < count; ++last) {
    if (!drawn.insert(stream.below(last + 1, last)).second) drawn.insert(last);
  }
  return {drawn.begin(), drawn.end()};
}

double squared_distance(std::span<const float> embeddings, std::size_t width, std::size_t a,
                        std::size_t b) {
  double sum = 0;
  for (std::size_t c = 0; c < width; ++c) {
    double difference = double{embeddings[a * width + c]} - double{embeddings[b * width + c]};
    sum += difference * difference;
  }
  require(std::isfinite(sum), ErrorKind::kInput,
          "the distance between the embeddings of examples {} and {} is not finite; compute in f32",
          a, b);
  return sum;
}

using Pairs = std::vector<VerificationPair>;

Pairs drawn_pairs(const NumberedPairs& all, uint64_t wanted, const Stream& stream) {
  Pairs pairs;
  pairs.reserve(wanted);
  for (uint64_t number : drawn_numbers(all.count(), wanted, stream)) {
    auto [first, second] = all.at(number);
    pairs.push_back({.first = first, .second = second});
  }
  return pairs;
}

// The distances of each fold's pairs, ascending.
using Folds = std::vector<std::vector<double>>;

Folds folds_of(const Pairs& pairs, std::size_t count) {
  Folds folds(count);
  for (std::size_t f = 0; f < count; ++f) {
    std::size_t first = pairs.size() * f / count, last = pairs.size() * (f + 1) / count;
    folds[f].reserve(last - first);
    for (std::size_t i = first; i < last; ++i) folds[f].push_back(pairs[i].distance);
    std::sort(folds[f].begin(), folds[f].end());
  }
  return folds;
}

// Those of all folds but one.
std::vector<double> others(const Folds& folds, std::size_t left_out) {
  std::vector<double> distances;
  for (std::size_t f = 0; f < folds.size(); ++f) {
    if (f != left_out) distances.insert(distances.end(), folds[f].begin(), folds[f].end());
  }
  std::sort(distances.begin(), distances.end());
  return distances;
}

int64_t count_below(const std::vector<double>& ascending, double threshold) {
  return std::lower_bound(ascending.begin(), ascending.end(), threshold) - ascending.begin();
}

int64_t count_right(const std::vector<double>& same, const std::vector<double>& different,
                    double threshold) {
  return count_below(same, threshold) + static_cast<int64_t>(different.size()) -
         count_below(different, threshold);
}

double best_threshold(const std::vector<double>& same, const std::vector<double>& different) {
  int64_t most = -1;
  double best = 0;
  for (int i = 0; i < kThresholds; ++i) {
    double threshold = i / kThresholdsPerUnit;
    int64_t right = count_right(same, different, threshold);
    if (right > most) {
      most = right;
      best = threshold;
    }
  }
  return best;
}

std::vector<double> accuracies_of(const Folds& same, const Folds& different) {
  std::vector<double> accuracies;
  accuracies.reserve(same.size());
  for (std::size_t f = 0; f < same.size(); ++f) {
    double threshold = best_threshold(others(same, f), others(different, f));
    auto all = static_cast<double>(same[f].size() + different[f].size());
    accuracies.push_back(static_cast<double>(count_right(same[f], different[f], threshold)) / all);
  }
  return accuracies;
}

// At one false acceptance in so many.
std::optional<Accepted> accepted_at(const Folds& same, const Folds& different, std::size_t one_in) {
  Accepted sum;
  for (std::size_t f = 0; f < same.size(); ++f) {
    std::vector<double> impostors = others(different, f);
    if (impostors.size() < one_in) return std::nullopt;
    double threshold = quantile(impostors, 1.0 / static_cast<double>(one_in));
    sum.accepted += count_below(same[f], threshold);
    sum.pairs += static_cast<int64_t>(same[f].size());
  }
  return sum;
}

std::optional<double> area(const Pairs& same, const Pairs& different) {
  std::vector<float> closeness;
  std::vector<std::uint8_t> positive(same.size(), 1);
  closeness.reserve(same.size() + different.size());
  for (const Pairs* pairs : {&same, &different}) {
    for (const VerificationPair& pair : *pairs)
      closeness.push_back(-static_cast<float>(pair.distance));
  }
  positive.resize(closeness.size(), 0);
  return roc_auc(closeness, positive);
}

void set_mean(VerificationScores& scores) {
  auto n = static_cast<double>(scores.accuracies.size());
  double mean = std::accumulate(scores.accuracies.begin(), scores.accuracies.end(), 0.0) / n;
  double squares = 0;
  for (double accuracy : scores.accuracies) squares += (accuracy - mean) * (accuracy - mean);
  scores.accuracy = mean;
  scores.deviation = std::sqrt(squares / (n - 1));
}

}  // namespace

VerificationScores verification_scores(std::span<const float> embeddings,
                                       std::span<const int32_t> identities,
                                       const VerificationPlan& plan) {
  VerificationScores scores;
  if (identities.empty()) return scores;
  ensure(embeddings.size() % identities.size() == 0, "{} numbers for {} embeddings",
         embeddings.size(), identities.size());
  std::size_t width = embeddings.size() / identities.size();
  NumberedPairs all_same(identities, true), all_different(identities, false);
  uint64_t count = std::min<uint64_t>(all_same.count(), plan.most_pairs);
  scores.same = drawn_pairs(all_same, count, Stream(plan.seed, "verification/same"));
  scores.different = drawn_pairs(all_different, std::min(count, all_different.count()),
                                 Stream(plan.seed, "verification/different"));
  for (Pairs* pairs : {&scores.same, &scores.different}) {
    for (VerificationPair& pair : *pairs)
      pair.distance = squared_distance(embeddings, width, pair.first, pair.second);
  }
  scores.roc_auc = area(scores.same, scores.different);
  std::size_t folds = std::min({plan.folds, scores.same.size(), scores.different.size()});
  if (folds < 2) return scores;
  Folds same = folds_of(scores.same, folds), different = folds_of(scores.different, folds);
  scores.accuracies = accuracies_of(same, different);
  set_mean(scores);
  scores.at_thousandth = accepted_at(same, different, 1000);
  scores.at_hundredth = accepted_at(same, different, 100);
  return scores;
}

}  // namespace inlay
