#include "runs/report/curves.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

constexpr std::size_t kMostPoints = 600;

std::vector<Point> points_in(const Json& records, const char* key) {
  std::vector<Point> points;
  for (const Json& record : records) {
    points.push_back({number_in(record, "step"), number_in(record, key)});
  }
  return points;
}

std::vector<double> values_of(const std::vector<Point>& points, double Point::*member) {
  std::vector<double> values;
  values.reserve(points.size());
  for (const Point& point : points) values.push_back(point.*member);
  return values;
}

// Where the axis of the loss ends: single spikes of the first steps may leave the picture at twice
// the 98th percentile.
Interval loss_interval(const std::vector<Point>& train, const std::vector<Point>& validation) {
  std::vector<double> values;
  for (const auto* points : {&train, &validation}) {
    for (const Point& point : *points) {
      if (std::isfinite(point.y)) values.push_back(point.y);
    }
  }
  Interval all = interval_of(values);
  if (values.empty()) return all;
  std::sort(values.begin(), values.end());
  const double high = values[(values.size() - 1) * 98 / 100];
  if (high > 0) all.high = std::min(all.high, 2 * high);
  if (all.low > 0 && all.low < 0.6 * all.high) all.low = 0;
  return all;
}

std::vector<Point> cut_at(std::vector<Point> points, double high) {
  for (Point& point : points) {
    if (std::isfinite(point.y)) point.y = std::min(point.y, high);
  }
  return points;
}

// The x axis of both figures, so that they line up.
Interval steps_of(const std::vector<Point>& train, const std::vector<Point>& validation) {
  std::vector<double> steps = values_of(train, &Point::x);
  for (const double step : values_of(validation, &Point::x)) steps.push_back(step);
  steps.push_back(0);
  return interval_of(steps);
}

struct LegendItem {
  const char* style;
  std::string words;
};

Html figure(const Plot& plot, const std::string& title, const std::vector<LegendItem>& legend) {
  Html key;
  for (const auto& [style, words] : legend) {
    key += element("span", {{"class", "key"}},
                   element("i", {{"class", std::string("swatch ") + style}}, Html()) + text(words));
  }
  return element("figure", {{"class", "panel"}},
                 element("figcaption", element("b", text(title)) + key) + plot.html());
}

std::vector<Point> finite_points(const std::vector<Point>& points) {
  std::vector<Point> result;
  for (const Point& point : points) {
    if (std::isfinite(point.y)) result.push_back(point);
  }
  return result;
}

Html loss_figure(const std::vector<Point>& train, const std::vector<Point>& validation,
                 const Interval& steps) {
  const Interval losses = loss_interval(train, validation);
  // About a fiftieth of the run to each side.
  const double width = std::clamp(static_cast<double>(train.size()) / 50, 2.0, 500.0);
  const auto smooth = smoothed(train, 1 - 1 / width);
  const auto measured = finite_points(smooth);
  const std::string description =
      measured.empty()
          ? "No finite loss was logged."
          : fmt::format("{} steps; the smoothed training loss goes from {:.3g} to {:.3g}.",
                        train.size(), measured.front().y, measured.back().y);
  Plot plot({"loss", "Loss by step", description, "step", ""}, steps, losses);
  plot.line(thinned(cut_at(train, losses.high), kMostPoints), "raw");
  plot.line(thinned(cut_at(smooth, losses.high), kMostPoints), "train");
  std::vector<LegendItem> legend = {{"raw", "each step"}, {"train", "smoothed"}};
  const auto dots = finite_points(cut_at(validation, losses.high));
  if (!dots.empty()) {
    plot.line(dots, "validation");
    plot.dots(dots, "validation", 3);
    legend.push_back({"validation", "validation"});
  }
  return figure(plot, "Loss", legend);
}

// A single value stands in the middle of a narrow axis; one of shares does not go past 1.
Interval metric_interval(const std::vector<double>& values) {
  constexpr double kNarrow = 0.05;
  Interval all = interval_of(values);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (!(*low >= 0 && *high <= 1)) return all;
  if (*low == *high) all = {*low - kNarrow, *high + kNarrow};
  return {std::max(0.0, all.low), std::min(1.0, all.high)};
}

Html metric_figure(const Json& curves, const std::vector<Point>& points, const Interval& steps) {
  const std::string metric = text_in(curves, "metric");
  const Json& records = list_in(curves, "validation");
  Plot plot({"metric", metric + " on validation rows by step",
             fmt::format("{} evaluations; the best is marked.", points.size()), "step", ""},
            steps, metric_interval(values_of(points, &Point::y)));
  plot.line(points, "validation");
  const bool has_best = curves.contains("best_step");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::string value = format_value(points[i].y, ValueFormat::kNumber);
    const bool best = has_best && points[i].x == number_in(curves, "best_step");
    const std::string epoch = format_value(number_in(records[i], "epoch"), ValueFormat::kCount);
    const std::string tip = fmt::format("epoch {}: {}", epoch, value);
    plot.dot(points[i], best ? "best" : "validation", best ? 6 : 3.5, tip);
    if (best) plot.note(points[i], fmt::format("best {}, epoch {}", value, epoch), "strong");
  }
  return figure(plot, metric + " on validation rows", {});
}

}  // namespace

std::vector<Point> smoothed(const std::vector<Point>& points, double beta) {
  // One pass each way; a point itself counts in both, so it is taken off once.
  const std::size_t n = points.size();
  std::vector<double> sums(n), weights(n);
  for (const bool forward : {true, false}) {
    double sum = 0, weight = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t i = forward ? k : n - 1 - k;
      const bool counts = std::isfinite(points[i].y);
      sum = beta * sum + (counts ? points[i].y : 0);
      weight = beta * weight + (counts ? 1 : 0);
      sums[i] += sum - (forward || !counts ? 0 : points[i].y);
      weights[i] += weight - (forward || !counts ? 0 : 1);
    }
  }
  std::vector<Point> result = points;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isfinite(points[i].y)) result[i].y = sums[i] / weights[i];
  }
  return result;
}

std::vector<Point> thinned(const std::vector<Point>& points, std::size_t limit) {
  if (points.size() <= limit) return points;
  const std::size_t runs = std::max<std::size_t>(1, limit / 2);
  std::vector<Point> result;
  for (std::size_t run = 0; run < runs; ++run) {
    const std::size_t first = run * points.size() / runs;
    const std::size_t end = (run + 1) * points.size() / runs;
    std::size_t low = first, high = first;
    for (std::size_t i = first; i < end; ++i) {
      if (!(points[i].y >= points[low].y)) low = i;
      if (!(points[i].y <= points[high].y)) high = i;
    }
    result.push_back(points[std::min(low, high)]);
    if (low != high) result.push_back(points[std::max(low, high)]);
  }
  return result;
}

Html curves_figures(const Json& curves) {
  const auto train = points_in(list_in(curves, "train"), "loss");
  const Json& records = list_in(curves, "validation");
  const auto metric = points_in(records, "value");
  const Interval steps = steps_of(train, metric);
  Html figures;
  if (!train.empty()) figures += loss_figure(train, points_in(records, "loss"), steps);
  if (!metric.empty()) figures += metric_figure(curves, metric, steps);
  Html pair = element("div", {{"class", "pair"}}, figures);
  const std::string note = text_in(curves, "note");
  return note.empty() ? pair : pair + element("p", {{"class", "note"}}, text(note));
}

}  // namespace inlay
