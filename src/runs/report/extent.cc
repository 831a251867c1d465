#include "runs/report/extent.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/units.h"
#include "runs/report/axis.h"
#include "runs/report/plot.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

// Above this many layers the tiles are smaller, so that a page shows them all.
constexpr std::size_t kDenseLayers = 18;

std::string count_text(double count) { return format_value(count, ValueFormat::kCount); }

Html fact(const std::string& name, const std::string& value) {
  return element("div", element("dt", text(name)) + element("dd", text(value)));
}

Html trained_facts(const Json& trained) {
  const double parameters = number_in(trained, "parameters");
  const double base = number_in(trained, "base_parameters");
  Html facts = fact("method", text_in(trained, "method")) +
               fact("trained parameters", count_text(parameters)) +
               fact("parameters of the base", count_text(base)) +
               fact("share of the base", format_value(parameters / base, ValueFormat::kPercent));
  if (trained.contains("file_bytes")) {
    facts += fact("adapter on disk",
                  format_value(number_in(trained, "file_bytes"), ValueFormat::kBytes));
  }
  for (const Json& other : list_in(trained, "other")) {
    facts += fact(text_in(other, "name"), count_text(number_in(other, "parameters")));
  }
  const std::string settings = text_in(trained, "settings");
  return (settings.empty() ? Html() : element("p", {{"class", "settings"}}, text(settings))) +
         element("dl", {{"class", "facts"}}, facts);
}

Html tile(double count, double most, const std::string& place) {
  if (!(count > 0))
    return element("td", {{"class", "tile empty"}, {"title", place + ": untouched"}}, Html());
  const std::string tip = fmt::format("{}: {} parameters", place, count_text(count));
  // Areas are compared by eye, so the side of a tile goes with the root of its share.
  return element(
      "td", {{"class", "tile"}, {"title", tip}},
      element("i",
              {{"style", fmt::format("--side:{:.2f}", std::max(0.2, std::sqrt(count / most)))}},
              element("span", {{"class", "unseen"}}, text(count_text(count)))));
}

Html tile_row(const std::string& site, const std::vector<double>& counts,
              const std::vector<std::string>& layers, double most) {
  require(counts.size() == layers.size(), ErrorKind::kInput,
          "the report document: a trained row has {} counts for {} layers", counts.size(),
          layers.size());
  Html row = element("th", {{"scope", "row"}}, text(site));
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    row += tile(counts[i], most, fmt::format("{}, layer {}", site, layers[i]));
    total += counts[i];
  }
  return element("tr", row + number_cell(count_text(total)));
}

Html trained_grid(const Json& trained) {
  const auto sites = texts_of(list_in(trained, "sites"));
  const auto layers = texts_of(list_in(trained, "layers"));
  const Json& grid = list_in(trained, "grid");
  require(grid.size() == sites.size(), ErrorKind::kInput,
          "the report document: {} trained rows for {} sites", grid.size(), sites.size());
  double most = 1;
  for (const Json& row : grid) {
    for (const double count : numbers_of(row))
      most = std::max(most, std::isfinite(count) ? count : 0);
  }
  Html head = element("th", {{"scope", "col"}}, text("layer"));
  for (const auto& layer : layers) head += element("th", {{"scope", "col"}}, text(layer));
  head += element("th", {{"scope", "col"}, {"class", "number"}}, text("parameters"));
  Html body;
  for (std::size_t i = 0; i < sites.size(); ++i)
    body += tile_row(sites[i], numbers_of(grid[i]), layers, most);
  return table(layers.size() > kDenseLayers ? "inlaid dense" : "inlaid",
               "Trained parameters of each site in each layer", element("tr", head), body);
}

// One method's value and interval on the common axis.
Html interval_strip(const Axis& axis, double value, double low, double high) {
  Html marks;
  for (const double tick : axis.ticks()) {
    const std::string x = svg_number(axis.place(tick));
    marks +=
        empty_element("line", {{"x1", x}, {"x2", x}, {"y1", "0"}, {"y2", "28"}, {"class", "grid"}});
  }
  if (std::isfinite(low) && std::isfinite(high)) {
    marks += empty_element("line", {{"x1", svg_number(axis.place(low))},
                                    {"x2", svg_number(axis.place(high))},
                                    {"y1", "14"},
                                    {"y2", "14"},
                                    {"class", "whisker"}});
  }
  if (std::isfinite(value)) {
    marks +=
        empty_element("circle", {{"cx", svg_number(axis.place(value))}, {"cy", "14"}, {"r", "5"}});
  }
  return element("svg", {{"viewBox", "0 0 300 28"}, {"aria-hidden", "true"}}, marks);
}

Html axis_labels(const Axis& axis) {
  Html marks;
  for (const double tick : axis.ticks()) {
    marks += element("text",
                     {{"x", svg_number(axis.place(tick))}, {"y", "13"}, {"class", "tick middle"}},
                     text(axis.label(tick)));
  }
  return element("svg", {{"viewBox", "0 0 300 18"}, {"aria-hidden", "true"}}, marks);
}

Interval comparison_interval(const Json& rows) {
  std::vector<double> values;
  for (const Json& row : rows) {
    for (const char* key : {"value", "low", "high"}) values.push_back(number_in(row, key));
  }
  return interval_of(values);
}

Html comparison_row(const Json& row, const Axis& axis) {
  const double value = number_in(row, "value"), low = number_in(row, "low"),
               high = number_in(row, "high");
  const bool chosen = truth_in(row, "chosen");
  const std::string seconds = row.contains("seconds")
                                  ? format_value(number_in(row, "seconds"), ValueFormat::kSeconds)
                                  : "–";
  const Html name =
      text(text_in(row, "name")) +
      (chosen ? element("span", {{"class", "chip right"}}, text("this run")) : Html());
  return element("tr", {{"class", chosen ? "chosen" : ""}},
                 element("th", {{"scope", "row"}}, name) +
                     element("td", {{"class", "strip"}}, interval_strip(axis, value, low, high)) +
                     number_cell(format_value(value, ValueFormat::kNumber)) +
                     number_cell(format_interval(low, high, ValueFormat::kNumber)) +
                     number_cell(count_text(number_in(row, "parameters"))) + number_cell(seconds));
}

Html fold_cells(const std::vector<double>& values, std::size_t columns) {
  require(values.size() == columns, ErrorKind::kInput,
          "the report document: a fold has {} values for {} columns", values.size(), columns);
  Html cells;
  for (const double value : values) cells += number_cell(format_value(value, ValueFormat::kNumber));
  return cells;
}

Html pooled_row(const Json& pooled, std::size_t columns) {
  Html row = element("tr", {{"class", "pooled"}},
                     element("th", {{"scope", "row"}}, text("pooled")) +
                         fold_cells(numbers_of(list_in(pooled, "values")), columns));
  const auto low = numbers_of(list_in(pooled, "low"));
  const auto high = numbers_of(list_in(pooled, "high"));
  if (low.size() != columns || high.size() != columns) return row;
  Html cells;
  for (std::size_t i = 0; i < columns; ++i) {
    cells += number_cell(format_interval(low[i], high[i], ValueFormat::kNumber));
  }
  return row + element("tr", {{"class", "interval"}},
                       element("th", {{"scope", "row"}}, text("95 % interval")) + cells);
}

}  // namespace

Html trained_figure(const Json& trained) {
  return trained_facts(trained) + (trained.contains("grid") ? trained_grid(trained) : Html());
}

Html comparison_table(const Json& comparison) {
  const Json& rows = list_in(comparison, "rows");
  const Axis axis = Axis::around(comparison_interval(rows), 12, 288, 4);
  Html head = element("th", {{"scope", "col"}}, text("method")) +
              element("th", {{"scope", "col"}, {"class", "strip"}}, axis_labels(axis));
  for (const std::string& name : {text_in(comparison, "metric"), std::string("95 % interval"),
                                  std::string("parameters"), std::string("time")}) {
    head += element("th", {{"scope", "col"}, {"class", "number"}}, text(name));
  }
  Html body;
  for (const Json& row : rows) body += comparison_row(row, axis);
  return table("plain comparison", "Methods compared on the same rows", element("tr", head), body);
}

Html folds_table(const Json& folds) {
  const auto columns = texts_of(list_in(folds, "columns"));
  std::vector<std::string> names = {"fold"};
  names.insert(names.end(), columns.begin(), columns.end());
  Html body;
  for (const Json& row : list_in(folds, "rows")) {
    body += element("tr", element("th", {{"scope", "row"}}, text(text_in(row, "name"))) +
                              fold_cells(numbers_of(list_in(row, "values")), columns.size()));
  }
  if (folds.contains("pooled")) body += pooled_row(folds.at("pooled"), columns.size());
  return table("plain folds", "Metrics of each fold and of all together", header_row(names, 1),
               body);
}

}  // namespace inlay
