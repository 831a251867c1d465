#include "eval/class_weights.h"

namespace inlay {

std::vector<float> balanced_class_weights(const Dataset& data,
                                          const std::vector<std::size_t>& examples) {
  std::vector<double> counts(data.classes.size());
  for (std::size_t index : examples)
    counts[static_cast<std::size_t>(data.examples[index].class_id)] += 1;
  std::vector<float> weights;
  weights.reserve(counts.size());
  for (double count : counts) {
    weights.push_back(static_cast<float>(static_cast<double>(examples.size()) /
                                         (static_cast<double>(counts.size()) * count)));
  }
  return weights;
}

}  // namespace inlay
