// Weights that make every class count alike: n / (classes * n_c), scikit-learn's "balanced".
#pragma once

#include <vector>

#include "data/dataset.h"

namespace inlay {

// Over the examples with these indices. REQUIRES: each class occurs among them.
std::vector<float> balanced_class_weights(const Dataset& data,
                                          const std::vector<std::size_t>& examples);

}  // namespace inlay
