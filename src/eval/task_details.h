// What tasks have in common of a report's document (runs/report.h): classes with their scores, and
// the examples that a model got wrong.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "eval/metrics/classification.h"

namespace inlay {

Json confusion_details(const std::vector<std::string>& labels, const ConfusionMatrix& matrix);
// REQUIRES: a score for each label.
Json class_details(const std::vector<std::string>& labels, std::span<const PrecisionRecall> scores);
// Ten bins of equal width; those without an example are left out. `error` is the expected
// calibration error.
Json calibration_details(std::span<const float> confidences, std::span<const std::uint8_t> right,
                         double error);

// The worst first, at most twenty: [{output, truth, prediction, probability?}], where `output` says
// which of the outputs it is.
class Mistakes {
 public:
  struct Entry {
    std::size_t output;
    double badness;
    std::string truth, prediction;
    std::optional<double> probability;
  };
  void add(Entry entry) { entries_.push_back(std::move(entry)); }
  Json details() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace inlay
