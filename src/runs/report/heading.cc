#include "runs/report/heading.h"

#include <fmt/core.h>

#include "base/units.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

// The mark: a frame with a piece set into it.
Html mark() {
  return Html::trusted(
      "<svg viewBox=\"0 0 26 26\" aria-hidden=\"true\"><rect class=\"frame\" x=\"1.5\" y=\"1.5\" "
      "width=\"23\" "
      "height=\"23\" rx=\"5\"/><path class=\"piece\" d=\"M13 5.5 20.5 13 13 20.5 5.5 "
      "13Z\"/></svg>");
}

// "On 620 test rows: accuracy 91.4 % (95 % interval 88.9–93.4 %), macro-F1 0.907 (…)."
Html metrics_sentence(const Json& report) {
  Html sentence;
  for (const Json& json : list_in(report, "metrics")) {
    const Quantity metric = quantity_of(json);
    const bool first = sentence.empty();
    sentence +=
        text(first ? "" : ", ") + text(metric.label + " ") + element("strong", text(metric.value));
    if (metric.interval.empty()) continue;
    sentence +=
        text(first ? " (95 % interval " : " (") + element("span", text(metric.interval + ")"));
  }
  if (sentence.empty()) return sentence;
  const Html rows =
      report.contains("test_rows")
          ? text(fmt::format("On {} test rows: ", format_count(integer_in(report, "test_rows"))))
          : text("On the test rows: ");
  return element("p", {{"class", "lead"}}, rows + sentence + text("."));
}

// A metric between 0 and 1 with an interval shows both on a scale.
Html range_bar(const Quantity& metric) {
  const bool on_scale =
      metric.low >= 0 && metric.high <= 1 && metric.number >= 0 && metric.number <= 1;
  if (!on_scale) return {};
  const std::string style =
      fmt::format("--low:{:.4f};--high:{:.4f};--at:{:.4f}", metric.low, metric.high, metric.number);
  return element("div", {{"class", "range"}, {"style", style}, {"aria-hidden", "true"}},
                 element("i", Html()) + element("b", Html()));
}

Html tile(const Json& json) {
  const Quantity quantity = quantity_of(json);
  Html inside = element("dt", text(quantity.label)) +
                element("dd", {{"class", "value"}}, text(quantity.value));
  if (!quantity.interval.empty()) {
    inside +=
        element("dd", range_bar(quantity) + element("div", {{"class", "small"}},
                                                    text("95 % interval " + quantity.interval)));
  }
  if (!quantity.note.empty()) inside += element("dd", {{"class", "small"}}, text(quantity.note));
  return element("div", inside);
}

Html tiles(const Json& quantities, const char* style) {
  Html all;
  for (const Json& json : quantities) all += tile(json);
  return all.empty() ? all : element("dl", {{"class", style}}, all);
}

}  // namespace

Html heading(const Json& report) {
  const Html brand =
      element("div", {{"class", "brand"}},
              mark() + element("span", element("b", text("Inlay")) + text(" run report")));
  Html all = brand + element("h1", text(text_in(report, "title"))) + metrics_sentence(report);
  if (report.contains("lead")) {
    all += element("p", {{"class", "lead"}}, text(text_in(report, "lead")));
  }
  return all + tiles(list_in(report, "metrics"), "tiles metrics") +
         tiles(list_in(report, "tiles"), "tiles");
}

}  // namespace inlay
