// How far probabilities can be taken at their word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace inlay {

// The mean of -ln p(true class); a p below 2^-52 counts as 2^-52. probabilities: (n, classes), rows
// summing to 1. REQUIRES, both: at least one example.
double log_loss(std::span<const float> probabilities, std::span<const std::int32_t> truth,
                std::size_t classes);

// Expected calibration error, Guo et al. 2017, "On calibration of modern neural networks", eq. (3):
// confidences in 15 bins ((m - 1)/15, m/15] of equal width, 0 in the first; the mean over bins,
// weighted by their examples, of |share of right answers - mean confidence|. A confidence is the
// probability of the predicted class.
double expected_calibration_error(std::span<const float> confidences,
                                  std::span<const std::uint8_t> right);

}  // namespace inlay
