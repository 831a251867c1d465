#include "runs/report/quality.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "runs/report/plot.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

constexpr std::size_t kMostMistakes = 20;
constexpr std::size_t kLongestText = 480;
constexpr std::size_t kMostDots = 4000;

double clamped(double share) { return std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0; }

// A number over a bar as long as its share of one.
Html bar_cell(double share) {
  return element(
      "td",
      {{"class", "number bar-cell"}, {"style", fmt::format("--share:{:.3f}", clamped(share))}},
      element("span", text(format_value(share, ValueFormat::kNumber))));
}

Html label_chip(const std::string& label, const char* style) {
  return element("span", {{"class", std::string("chip ") + style}, {"title", label}},
                 text(shortened(label, 40)));
}

Html mistake(const Json& json) {
  const double probability = number_in(json, "probability");
  Html verdict = element("span", {{"class", "word"}}, text("truth")) +
                 label_chip(text_in(json, "truth"), "right") +
                 element("span", {{"class", "word"}}, text("predicted")) +
                 label_chip(text_in(json, "prediction"), "wrong");
  if (std::isfinite(probability)) {
    verdict += element(
        "span",
        {{"class", "sureness"}, {"style", fmt::format("--share:{:.3f}", clamped(probability))}},
        text(fmt::format("{:.0f} % sure", probability * 100)));
  }
  if (json.contains("row")) {
    verdict += element("span", {{"class", "row-number"}}, text(text_in(json, "row")));
  }
  Html shown;
  if (json.contains("picture")) {
    shown = empty_element("img", {{"src", text_in(json, "picture")}, {"alt", ""}});
  } else {
    shown = element("p", {{"dir", "auto"}}, text(shortened(text_in(json, "text"), kLongestText)));
  }
  return element("li", shown + element("div", {{"class", "verdict"}}, verdict));
}

Html plot_panel(const Plot& plot, const std::string& caption) {
  return element("figure", {{"class", "panel narrow"}},
                 plot.html() + element("figcaption", text(caption)));
}

}  // namespace

Html classes_table(const Json& classes) {
  Html body;
  for (const Json& entry : classes) {
    const std::string label = text_in(entry, "label");
    body += element(
        "tr", element("th", {{"scope", "row"}, {"title", label}}, text(shortened(label, 40))) +
                  bar_cell(number_in(entry, "precision")) + bar_cell(number_in(entry, "recall")) +
                  bar_cell(number_in(entry, "f1")) +
                  number_cell(format_value(number_in(entry, "support"), ValueFormat::kCount)));
  }
  return table("plain", "Precision, recall and F1 of each class",
               header_row({"class", "precision", "recall", "F1", "rows"}, 1), body);
}

Html mistakes_list(const Json& mistakes) {
  Html items;
  const std::size_t shown = std::min(mistakes.size(), kMostMistakes);
  for (std::size_t i = 0; i < shown; ++i) items += mistake(mistakes[i]);
  return element("ol", {{"class", "mistakes"}}, items);
}

Html calibration_figure(const Json& calibration) {
  const double error = number_in(calibration, "error");
  Plot plot = Plot::square(
      {"calibration", "Calibration",
       "The share of right predictions against how sure they were; on the diagonal both agree.",
       "how sure", "share right"},
      {0, 1});
  std::vector<Point> points;
  for (const Json& bin : list_in(calibration, "bins")) {
    const double count = number_in(bin, "count");
    if (!(count > 0)) continue;
    const double confidence = number_in(bin, "confidence"), accuracy = number_in(bin, "accuracy");
    const std::string tip =
        fmt::format("{} predictions, {:.0f} % sure, {:.0f} % right",
                    format_value(count, ValueFormat::kCount), confidence * 100, accuracy * 100);
    plot.bar({number_in(bin, "low"), number_in(bin, "high")}, clamped(accuracy), "calibrated", tip);
    points.push_back({confidence, accuracy});
  }
  plot.line({{0, 0}, {1, 1}}, "diagonal");
  plot.line(points, "validation");
  plot.dots(points, "validation", 3.5);
  return plot_panel(
      plot,
      fmt::format("Expected calibration error {}. Bars below the diagonal: too sure of itself.",
                  format_value(error, ValueFormat::kNumber)));
}

Html scatter_figure(const Json& scatter) {
  std::vector<Point> points;
  std::vector<double> values;
  for (const Json& pair : list_in(scatter, "points")) {
    const auto numbers = numbers_of(pair);
    if (numbers.size() != 2 || points.size() == kMostDots) continue;
    points.push_back({numbers[0], numbers[1]});
    values.insert(values.end(), numbers.begin(), numbers.end());
  }
  const Interval both = interval_of(values);
  const std::string name = text_in(scatter, "name");
  Plot plot =
      Plot::square({"scatter", "Prediction against truth: " + name,
                    fmt::format("{} rows; on the diagonal the prediction is right.", points.size()),
                    "truth", "prediction"},
                   both);
  plot.line({{both.low, both.low}, {both.high, both.high}}, "diagonal");
  plot.dots(points, "scatter", points.size() > 400 ? 2 : 3);
  return plot_panel(plot, "Each dot is a row; on the diagonal the prediction is right.");
}

}  // namespace inlay
