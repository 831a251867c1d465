// Cross entropy as its definition reads, computed in T (float or double).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/kernels/cross_entropy.h"

namespace inlay::kernels {

template <class T>
T class_weight(const CrossEntropy& args, int64_t c) {
  return args.class_weights ? args.class_weights.load<T>(c) : T{1};
}

template <class T>
void cross_entropy_forward_reference(const CrossEntropy& args, Input logits, Output loss,
                                     Output lse) {
  const T smoothing = static_cast<T>(args.label_smoothing);
  for (int64_t r = 0; r < args.rows; ++r) {
    auto x = [&](int64_t c) { return logits.load<T>(r * args.classes + c); };
    T largest = -std::numeric_limits<T>::infinity();
    for (int64_t c = 0; c < args.classes; ++c) largest = std::max(largest, x(c));
    T sum = 0, smooth = 0;
    for (int64_t c = 0; c < args.classes; ++c) sum += std::exp(x(c) - largest);
    const T row_lse = largest + std::log(sum);
    lse.store(r, row_lse);
    for (int64_t c = 0; c < args.classes; ++c)
      smooth += class_weight<T>(args, c) * (row_lse - x(c));
    const int32_t y = args.targets[r];
    if (y == kIgnoredTarget) {
      loss.store(r, T{0});
      continue;
    }
    const T nll = class_weight<T>(args, y) * (row_lse - x(y));
    loss.store(r, (1 - smoothing) * nll + smoothing / static_cast<T>(args.classes) * smooth);
  }
}

template <class T>
void cross_entropy_backward_reference(const CrossEntropy& args, Input logits, Input lse,
                                      double scale, Output grad_logits) {
  const T smoothing = static_cast<T>(args.label_smoothing);
  const T share = smoothing / static_cast<T>(args.classes);
  T weight_sum = 0;
  for (int64_t c = 0; c < args.classes; ++c) weight_sum += class_weight<T>(args, c);
  for (int64_t r = 0; r < args.rows; ++r) {
    const int32_t y = args.targets[r];
    const bool ignored = y == kIgnoredTarget;
    const T nll = ignored ? T{0} : (1 - smoothing) * class_weight<T>(args, y);
    for (int64_t c = 0; c < args.classes; ++c) {
      const int64_t i = r * args.classes + c;
      const T p = std::exp(logits.load<T>(i) - lse.load<T>(r));
      const T grad =
          p * (nll + share * weight_sum) - (c == y ? nll : T{0}) - share * class_weight<T>(args, c);
      grad_logits.store(i, ignored ? T{0} : static_cast<T>(scale) * grad);
    }
  }
}

}  // namespace inlay::kernels
