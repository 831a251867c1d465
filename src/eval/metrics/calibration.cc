#include "eval/metrics/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace inlay {

double log_loss(std::span<const float> probabilities, std::span<const std::int32_t> truth,
                std::size_t classes) {
  ensure(!truth.empty() && probabilities.size() == truth.size() * classes,
         "{} probabilities for {} examples of {} classes", probabilities.size(), truth.size(),
         classes);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto id = static_cast<std::size_t>(truth[i]);
    ensure(id < classes, "class {} of example {}, but there are {}", truth[i], i, classes);
    sum -= std::log(std::max(double{probabilities[i * classes + id]}, 0x1p-52));
  }
  return sum / static_cast<double>(truth.size());
}

double expected_calibration_error(std::span<const float> confidences,
                                  std::span<const std::uint8_t> right) {
  ensure(!right.empty() && confidences.size() == right.size(), "{} confidences for {} examples",
         confidences.size(), right.size());
  constexpr int kBins = 15;
  std::array<double, kBins> gaps{};  // right answers - sum of confidences
  for (std::size_t i = 0; i < right.size(); ++i) {
    double confidence = confidences[i];
    require(confidence >= 0 && confidence <= 1, ErrorKind::kInput,
            "the confidence of example {} is {}; expected 0 to 1", i, confidence);
    int bin = std::clamp(static_cast<int>(std::ceil(confidence * kBins)) - 1, 0, kBins - 1);
    gaps[static_cast<std::size_t>(bin)] += (right[i] != 0 ? 1.0 : 0.0) - confidence;
  }
  double sum = 0;
  for (double gap : gaps) sum += std::abs(gap);
  return sum / static_cast<double>(right.size());
}

}  // namespace inlay
