// Representation fine-tuning, Wu et al. 2024, arXiv:2404.03592: what layers hand on is edited at
// the first and the last tokens of each example, h' = h + R^T (f(W h + b) - R h).
#pragma once

#include <memory>

#include "adapters/method.h"

namespace inlay {

// What the named forms differ in.
struct ReftStart {
  bool orthogonality = true;        // R has orthonormal rows
  bool subtract_projection = true;  // with - R h
};

std::unique_ptr<Method> make_reft(const ReftStart& start);

}  // namespace inlay
