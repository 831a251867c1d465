// Measures of examples with any number of labels each. Matrices are (n, labels), row-major; truth
// and predicted hold 0 or 1. Precision, recall and F1 at the edges are as in classification.h: a
// label that neither occurs nor is predicted is left out of the macro average (scikit-learn counts
// it as 0 here and warns).
//
//   std::vector<PrecisionRecall> scores = label_scores(truth, predicted, labels);
//   macro_average(scores).f1, micro_total(scores).f1()
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/metrics/classification.h"

namespace inlay {

std::vector<PrecisionRecall> label_scores(std::span<const std::uint8_t> truth,
                                          std::span<const std::uint8_t> predicted,
                                          std::size_t labels);

// Per label; nothing for a label that all examples have or none has.
std::vector<std::optional<double>> label_aucs(std::span<const float> scores,
                                              std::span<const std::uint8_t> truth,
                                              std::size_t labels);

// The mean over those that are defined, nothing where none is.
std::optional<double> mean_auc(std::span<const std::optional<double>> aucs);

// The share of all n * labels decisions that are right: MedMNIST's ACC.
double label_accuracy(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted);

}  // namespace inlay
