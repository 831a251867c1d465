// Measures that only depend on the order of scores. Ties count as half, through average ranks. A
// score that is not a number is an Error: an order with NaN in it means nothing.
//
//   auto auc = roc_auc(scores, positive);   // nothing when all examples are of one kind
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace inlay {

// Ranks from 1, equal values sharing the mean of their ranks: {10, 20, 20} has ranks {1, 2.5, 2.5}.
std::vector<double> average_ranks(std::span<const float> values);

// The area under the ROC curve, by the Mann-Whitney statistic: the chance that a positive scores
// above a negative. Undefined, so nothing, without a positive or without a negative.
std::optional<double> roc_auc(std::span<const float> scores,
                              std::span<const std::uint8_t> positive);

// The mean over classes of each class against the rest. scores: (n, classes). Classes for which it
// is undefined are left out; nothing when it is undefined for all.
std::optional<double> roc_auc_one_vs_rest(std::span<const float> scores,
                                          std::span<const std::int32_t> truth, std::size_t classes);

}  // namespace inlay
