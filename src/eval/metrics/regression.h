// Measures of predicted numbers. Sums are in double and in the order of the examples.
#pragma once

#include <optional>
#include <span>

namespace inlay {

// REQUIRES of all: as many predictions as truths, at least one.
double mean_squared_error(std::span<const float> truth, std::span<const float> predicted);
double mean_absolute_error(std::span<const float> truth, std::span<const float> predicted);

// Undefined, so nothing, when either side is constant (one example included) or holds a value that
// is not finite.
std::optional<double> pearson(std::span<const float> truth, std::span<const float> predicted);
// Pearson's correlation of the average ranks; nothing under the same conditions.
std::optional<double> spearman(std::span<const float> truth, std::span<const float> predicted);

}  // namespace inlay
