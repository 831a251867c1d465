// From the logits of one row to what they mean.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace inlay {

// softmax, in double, rounded once.
std::vector<float> class_probabilities(std::span<const float> logits);
// 1 / (1 + exp(-x)) of each.
std::vector<float> label_probabilities(std::span<const float> logits);
// The index of the largest; the first on ties.
int32_t largest(std::span<const float> values);

}  // namespace inlay
