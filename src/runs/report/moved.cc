#include "runs/report/moved.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

// Where the text must change colour to stay readable on the fill.
constexpr double kDeep = 0.6;

std::string percent_text(double share) {
  double percent = share * 100;
  if (percent != 0 && percent < 0.01) return "< 0.01";
  return fmt::format(fmt::runtime(percent < 10 ? "{:.2f}" : "{:.1f}"), percent);
}

Html cell(double moved, double most, const std::string& place) {
  if (!std::isfinite(moved))
    return element("td", {{"class", "none"}, {"title", place + ": untouched"}}, Html());
  const double share = most > 0 ? moved / most : 0;
  const std::string words = percent_text(moved);
  return element("td",
                 {{"class", share > kDeep ? "deep" : "fill"},
                  {"style", fmt::format("--share:{:.3f}", share)},
                  {"title", fmt::format("{}: moved by {} % of its length", place, words)}},
                 text(words));
}

}  // namespace

Html moved_figure(const Json& moved) {
  const auto sites = texts_of(list_in(moved, "sites"));
  const auto layers = texts_of(list_in(moved, "layers"));
  const Json& grid = list_in(moved, "grid");
  require(grid.size() == sites.size(), ErrorKind::kInput,
          "the report document: {} rows of moved weights for {} sites", grid.size(), sites.size());
  double most = 0;
  for (const Json& row : grid) {
    require(row.size() == layers.size(), ErrorKind::kInput,
            "the report document: a row of moved weights has {} figures for {} layers", row.size(),
            layers.size());
    for (const double value : numbers_of(row))
      most = std::max(most, std::isfinite(value) ? value : 0);
  }
  Html head = element("th", {{"scope", "col"}}, text("layer"));
  for (const auto& layer : layers) head += element("th", {{"scope", "col"}}, text(layer));
  Html body;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto values = numbers_of(grid[i]);
    Html row = element("th", {{"scope", "row"}}, text(sites[i]));
    for (std::size_t k = 0; k < values.size(); ++k)
      row += cell(values[k], most, fmt::format("{}, layer {}", sites[i], layers[k]));
    body += element("tr", row);
  }
  return table("moved", "How far each weight moved, in percent of its length", element("tr", head),
               body);
}

}  // namespace inlay
