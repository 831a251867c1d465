// The running softmax, one element at a time, computed in T (float or double).
#pragma once

#include <algorithm>
#include <cmath>

#include "tensor/kernels/running_softmax.h"
#include "tensor/kernels/soft_cap_reference.h"

namespace inlay::kernels {

template <class T>
void running_softmax_reference(const RunningSoftmax& args) {
  const auto logit = [&](int64_t i) {
    return soft_capped(args.logits.load<T>(i), static_cast<T>(args.soft_cap));
  };
  for (int64_t r = 0; r < args.rows; ++r) {
    const Input before = args.largest, sum_before = args.sum;
    T largest = before.load<T>(r);
    for (int64_t c = 0; c < args.classes; ++c)
      largest = std::max(largest, logit(r * args.classes + c).value);
    T factor = std::exp(before.load<T>(r) - largest), sum = factor * sum_before.load<T>(r);
    for (int64_t i = r * args.classes; i < (r + 1) * args.classes; ++i) {
      const SoftCapped<T> capped = logit(i);
      T weight = std::exp(capped.value - largest);
      sum += weight;
      args.weights.store(i, weight * capped.slope);
    }
    args.largest.store(r, largest);
    args.sum.store(r, sum);
    args.factor.store(r, factor);
  }
}

template <class T>
void rescale_and_add_reference(Input factor, Input src, Output dst, int64_t rows, int64_t columns) {
  const Input before = dst;
  for (int64_t i = 0; i < rows * columns; ++i) {
    T by = factor.load<T>(i / columns);
    dst.store(i, src.load<T>(i) + (by == 0 ? T(0) : by * before.load<T>(i)));
  }
}

}  // namespace inlay::kernels
