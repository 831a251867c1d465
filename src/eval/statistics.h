// How sure a measured figure is: intervals for one system, and tests of the difference between two
// on the same examples.
//
//   Interval sure = wilson_interval(right, n);                        // accuracy
//   auto f1 = bootstrap_interval(n, [&](auto rows) { return f1_of(rows); }, {.seed = 1});
//   McNemar test = mcnemar(right_a, right_b);                         // test.p
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace inlay {

struct Interval {
  double low = 0;
  double high = 0;
};

// Wilson's 95 % score interval of a share: Wilson 1927, eq. for z = 1.959964. REQUIRES: 0 <= hits
// <= n, n > 0.
Interval wilson_interval(std::int64_t hits, std::int64_t n);

// A figure over the examples of a resample (indices, with repeats); nothing where it is undefined.
using ResampledMetric = std::function<std::optional<double>(std::span<const std::size_t>)>;

struct BootstrapOptions {
  std::uint64_t seed = 0;
  std::size_t resamples = 1000;
  double level = 0.95;
};

// The percentile bootstrap interval: Efron 1979. Resample r draws example i from stream "bootstrap"
// of the seed, so the interval is a pure function of seed, n and the metric. Resamples where the
// metric is undefined are left out; nothing when that is half of them or more. REQUIRES: n > 0.
std::optional<Interval> bootstrap_interval(std::size_t n, const ResampledMetric& metric,
                                           const BootstrapOptions& options);

// The interval of a - b with both measured on the same resamples. The difference is real at the
// level when the interval leaves out 0.
std::optional<Interval> paired_bootstrap(std::size_t n, const ResampledMetric& a,
                                         const ResampledMetric& b, const BootstrapOptions& options);

// McNemar's exact test: of the examples that only one of two systems gets right, could a fair coin
// have chosen the system? p is two-sided, 1 when there is no such example.
struct McNemar {
  std::int64_t only_a = 0;
  std::int64_t only_b = 0;
  double p = 1;
};
McNemar mcnemar(std::span<const std::uint8_t> right_a, std::span<const std::uint8_t> right_b);

// The value below which a share q of the ascending values lies, with linear interpolation between
// neighbours (numpy's default). REQUIRES: values not empty, 0 <= q <= 1.
double quantile(std::span<const double> ascending, double q);

}  // namespace inlay
