// Losses per row are added up with one factor for all rows, so their backward passes begin from one
// number.
#pragma once

#include "autograd/operands.h"

namespace inlay {

// d total / d row, which must be the same for all rows; 0 where there are none.
inline double equal_seed(const Tensor& grad_losses) {
  kernels::Input seeds = in(grad_losses);
  double seed = grad_losses.count() > 0 ? seeds.load<double>(0) : 0.0;
  for (int64_t i = 1; i < grad_losses.count(); ++i) {
    ensure(seeds.load<double>(i) == seed, "the rows of a loss are seeded with {} and {}, not alike",
           seed, seeds.load<double>(i));
  }
  return seed;
}

}  // namespace inlay
