#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "runs/report/quality.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

// Above this a matrix is too wide to read, and the pairs that are confused most often say more.
constexpr std::size_t kWidestMatrix = 24;
constexpr std::size_t kMostPairs = 20;

struct Confusion {
  std::vector<std::string> labels;
  std::vector<std::vector<double>> counts;  // counts[truth][prediction]
  std::vector<double> totals;               // rows of each truth
};

Confusion confusion_of(const Json& json) {
  Confusion result;
  result.labels = texts_of(list_in(json, "labels"));
  for (const Json& row : list_in(json, "counts")) {
    result.counts.push_back(numbers_of(row));
    require(result.counts.back().size() == result.labels.size(), ErrorKind::kInput,
            "the report document: a confusion row has {} counts for {} labels",
            result.counts.back().size(), result.labels.size());
    double total = 0;
    for (const double count : result.counts.back()) total += count;
    result.totals.push_back(total);
  }
  require(result.counts.size() == result.labels.size(), ErrorKind::kInput,
          "the report document: {} confusion rows for {} labels", result.counts.size(),
          result.labels.size());
  return result;
}

std::string count_text(double count) { return format_value(count, ValueFormat::kCount); }

Html matrix_cell(const Confusion& confusion, std::size_t truth, std::size_t prediction) {
  const double count = confusion.counts[truth][prediction];
  const double total = confusion.totals[truth];
  const double share = total > 0 ? count / total : 0;
  std::string style = truth == prediction ? "right" : "wrong";
  if (count == 0) style += " none";
  // Where the text must change colour to stay readable on the fill.
  if (share > (truth == prediction ? 0.75 : 0.3)) style += " deep";
  const std::string tip =
      fmt::format("{} of {} rows that are {} were called {}", count_text(count), count_text(total),
                  confusion.labels[truth], confusion.labels[prediction]);
  Html figures = element("b", text(count_text(count)));
  if (count != 0) {
    const std::string percent = share < 0.005 ? "< 1 %" : fmt::format("{:.0f} %", share * 100);
    figures += element("small", text(percent));
  }
  return element(
      "td", {{"class", style}, {"style", fmt::format("--share:{:.3f}", share)}, {"title", tip}},
      figures);
}

Html label_cell(const std::string& label, const char* scope) {
  return element("th", {{"scope", scope}, {"title", label}}, text(shortened(label, 18)));
}

Html matrix(const Confusion& confusion) {
  Html head = element("th", {{"class", "corner"}}, text("prediction →\ntruth ↓"));
  for (const auto& label : confusion.labels) head += label_cell(label, "col");
  Html body;
  for (std::size_t truth = 0; truth < confusion.labels.size(); ++truth) {
    Html row = label_cell(confusion.labels[truth], "row");
    for (std::size_t prediction = 0; prediction < confusion.labels.size(); ++prediction) {
      row += matrix_cell(confusion, truth, prediction);
    }
    body += element("tr", row);
  }
  return table("confusion", "Confusion matrix: rows of each true class by predicted class",
               element("tr", head), body);
}

struct Pair {
  std::size_t truth, prediction;
};

Html pairs_table(const Confusion& confusion) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) {
    for (std::size_t j = 0; j < confusion.labels.size(); ++j) {
      if (i != j && confusion.counts[i][j] > 0) pairs.push_back({i, j});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) {
    return confusion.counts[a.truth][a.prediction] > confusion.counts[b.truth][b.prediction];
  });
  pairs.resize(std::min(pairs.size(), kMostPairs));
  Html body;
  for (const auto& [truth, prediction] : pairs) {
    const double count = confusion.counts[truth][prediction];
    body += element(
        "tr",
        element("td", text(confusion.labels[truth])) +
            element("td", text(confusion.labels[prediction])) + number_cell(count_text(count)) +
            number_cell(format_value(count / confusion.totals[truth], ValueFormat::kPercent)));
  }
  return table("plain", "The classes that are confused most often",
               header_row({"truth", "prediction", "rows", "of the class"}, 2), body);
}

}  // namespace

Html confusion_figure(const Json& json) {
  const Confusion confusion = confusion_of(json);
  return confusion.labels.size() <= kWidestMatrix ? matrix(confusion) : pairs_table(confusion);
}

}  // namespace inlay
