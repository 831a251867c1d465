#include "eval/metrics/regression.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "eval/metrics/ranking.h"

namespace inlay {
namespace {

void check_sizes(std::span<const float> truth, std::span<const float> predicted) {
  ensure(truth.size() == predicted.size() && !truth.empty(), "{} truths for {} predictions",
         truth.size(), predicted.size());
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// REQUIRES: neither side is constant.
double correlation(std::span<const double> x, std::span<const double> y) {
  double mean_x = mean(x), mean_y = mean(y), xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

bool can_correlate(std::span<const float> values) {
  bool finite =
      std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  auto [least, most] = std::minmax_element(values.begin(), values.end());
  return finite && *least != *most;
}

}  // namespace

double mean_squared_error(std::span<const float> truth, std::span<const float> predicted) {
  check_sizes(truth, predicted);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    double difference = double{predicted[i]} - double{truth[i]};
    sum += difference * difference;
  }
  return sum / static_cast<double>(truth.size());
}

double mean_absolute_error(std::span<const float> truth, std::span<const float> predicted) {
  check_sizes(truth, predicted);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i)
    sum += std::abs(double{predicted[i]} - double{truth[i]});
  return sum / static_cast<double>(truth.size());
}

std::optional<double> pearson(std::span<const float> truth, std::span<const float> predicted) {
  check_sizes(truth, predicted);
  if (!can_correlate(truth) || !can_correlate(predicted)) return std::nullopt;
  std::vector<double> x(truth.begin(), truth.end()), y(predicted.begin(), predicted.end());
  return correlation(x, y);
}

std::optional<double> spearman(std::span<const float> truth, std::span<const float> predicted) {
  check_sizes(truth, predicted);
  if (!can_correlate(truth) || !can_correlate(predicted)) return std::nullopt;
  return correlation(average_ranks(truth), average_ranks(predicted));
}

}  // namespace inlay
