#include "eval/probabilities.h"

#include <algorithm>
#include <cmath>

namespace inlay {

std::vector<float> class_probabilities(std::span<const float> logits) {
  double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - top);
  std::vector<float> probabilities;
  for (float logit : logits)
    probabilities.push_back(static_cast<float>(std::exp(logit - top) / sum));
  return probabilities;
}

std::vector<float> label_probabilities(std::span<const float> logits) {
  std::vector<float> probabilities;
  for (float logit : logits)
    probabilities.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-double{logit}))));
  return probabilities;
}

int32_t largest(std::span<const float> values) {
  return static_cast<int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace inlay
