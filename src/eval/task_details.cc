#include "eval/task_details.h"

#include <algorithm>

#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kMistakesShown = 20;
constexpr std::size_t kCalibrationBins = 10;

}  // namespace

Json confusion_details(const std::vector<std::string>& labels, const ConfusionMatrix& matrix) {
  Json counts = Json::array();
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    Json row = Json::array();
    for (std::size_t found = 0; found < labels.size(); ++found)
      row.push_back(matrix.at(truth, found));
    counts.push_back(row);
  }
  return {{"labels", labels}, {"counts", counts}};
}

Json class_details(const std::vector<std::string>& labels,
                   std::span<const PrecisionRecall> scores) {
  ensure(labels.size() == scores.size(), "{} labels for {} scores", labels.size(), scores.size());
  Json rows = Json::array();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows.push_back({{"label", labels[i]},
                    {"precision", scores[i].precision()},
                    {"recall", scores[i].recall()},
                    {"f1", scores[i].f1()},
                    {"support", scores[i].support}});
  }
  return rows;
}

Json calibration_details(std::span<const float> confidences, std::span<const std::uint8_t> right,
                         double error) {
  std::vector<double> sure(kCalibrationBins), hits(kCalibrationBins), count(kCalibrationBins);
  for (std::size_t i = 0; i < confidences.size(); ++i) {
    auto bin =
        std::min(kCalibrationBins - 1, static_cast<std::size_t>(confidences[i] * kCalibrationBins));
    count[bin] += 1;
    sure[bin] += confidences[i];
    hits[bin] += right[i];
  }
  Json bins = Json::array();
  for (std::size_t b = 0; b < kCalibrationBins; ++b) {
    if (count[b] == 0) continue;
    bins.push_back({{"low", static_cast<double>(b) / kCalibrationBins},
                    {"high", static_cast<double>(b + 1) / kCalibrationBins},
                    {"count", static_cast<std::int64_t>(count[b])},
                    {"confidence", sure[b] / count[b]},
                    {"accuracy", hits[b] / count[b]}});
  }
  return {{"error", error}, {"bins", bins}};
}

Json Mistakes::details() const {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries_) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return a->badness > b->badness; });
  order.resize(std::min(order.size(), kMistakesShown));
  Json rows = Json::array();
  for (const Entry* entry : order) {
    Json row{{"output", entry->output}, {"truth", entry->truth}, {"prediction", entry->prediction}};
    if (entry->probability.has_value()) row["probability"] = *entry->probability;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace inlay
