// The seeds that the rows of a loss are walked back from. Losses that are added up have one factor
// for all rows; where another loss is made of them, such as over pairs of answers, those of a
// sequence have one.
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

// visit(first, last, seed) for every run of rows that have one seed, in order.
template <class Visit>
void for_each_seed(const Tensor& grad_losses, const Visit& visit) {
  kernels::Input seeds = in(grad_losses);
  for (int64_t first = 0, last = 0; first < grad_losses.count(); first = last) {
    auto seed = seeds.load<double>(first);
    do {
      ++last;
    } while (last < grad_losses.count() && seeds.load<double>(last) == seed);
    visit(first, last, seed);
  }
}

}  // namespace inlay
