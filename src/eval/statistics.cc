#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"

namespace inlay {
namespace {

// P(X <= k) for n tosses of a fair coin; by logarithms, since 2^-n leaves the range of a double.
double fair_coin_tail(std::int64_t k, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i <= k; ++i) {
    double ways = std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0);
    sum += std::exp(ways - static_cast<double>(n) * M_LN2);
  }
  return sum;
}

}  // namespace

Interval wilson_interval(std::int64_t hits, std::int64_t n) {
  ensure(n > 0 && hits >= 0 && hits <= n, "{} hits of {}", hits, n);
  // (p + z^2/2n ± z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
  const double z = 1.959963984540054;
  auto size = static_cast<double>(n);
  double p = static_cast<double>(hits) / size, z2 = z * z / size;
  double centre = (p + z2 / 2) / (1 + z2);
  double half = z * std::sqrt(p * (1 - p) / size + z2 / (4 * size)) / (1 + z2);
  return {.low = hits == 0 ? 0.0 : centre - half, .high = hits == n ? 1.0 : centre + half};
}

std::optional<Interval> bootstrap_interval(std::size_t n, const ResampledMetric& metric,
                                           const BootstrapOptions& options) {
  ensure(n > 0 && options.resamples > 0 && options.level > 0 && options.level < 1,
         "{} examples, {} resamples, level {}", n, options.resamples, options.level);
  Stream stream(options.seed, "bootstrap");
  std::vector<std::size_t> rows(n);
  std::vector<double> values;
  for (std::size_t resample = 0; resample < options.resamples; ++resample) {
    for (std::size_t i = 0; i < n; ++i) rows[i] = stream.below(n, resample * n + i);
    if (auto value = metric(rows)) values.push_back(*value);
  }
  if (values.size() * 2 <= options.resamples) return std::nullopt;
  std::sort(values.begin(), values.end());
  double tail = (1 - options.level) / 2;
  return Interval{.low = quantile(values, tail), .high = quantile(values, 1 - tail)};
}

std::optional<Interval> paired_bootstrap(std::size_t n, const ResampledMetric& a,
                                         const ResampledMetric& b,
                                         const BootstrapOptions& options) {
  auto difference = [&](std::span<const std::size_t> rows) -> std::optional<double> {
    auto value_a = a(rows), value_b = b(rows);
    if (!value_a || !value_b) return std::nullopt;
    return *value_a - *value_b;
  };
  return bootstrap_interval(n, difference, options);
}

McNemar mcnemar(std::span<const std::uint8_t> right_a, std::span<const std::uint8_t> right_b) {
  ensure(right_a.size() == right_b.size(), "{} answers against {}", right_a.size(), right_b.size());
  McNemar test;
  for (std::size_t i = 0; i < right_a.size(); ++i) {
    test.only_a += right_a[i] != 0 && right_b[i] == 0;
    test.only_b += right_a[i] == 0 && right_b[i] != 0;
  }
  std::int64_t fewer = std::min(test.only_a, test.only_b), both = test.only_a + test.only_b;
  test.p = both == 0 ? 1.0 : std::min(1.0, 2 * fair_coin_tail(fewer, both));
  return test;
}

double quantile(std::span<const double> ascending, double q) {
  ensure(!ascending.empty() && q >= 0 && q <= 1, "quantile {} of {} values", q, ascending.size());
  double place = q * static_cast<double>(ascending.size() - 1);
  auto below = static_cast<std::size_t>(place);
  std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

}  // namespace inlay
