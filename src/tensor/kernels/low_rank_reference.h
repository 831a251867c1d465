// The products of low_rank.h as their definitions read, in f32 or f64: the oracle of the fast
// kernels, and the kernels of f64 gradient checks. The `dtype` of the arguments is not read;
// Element says what x and y are.
//
//   low_rank_reference_project<double>(args);
#pragma once

#include <type_traits>

#include "tensor/kernels/low_rank.h"

namespace inlay::kernels {

// Where W[i, c] of a factor of `rank` by `channels` is.
inline int64_t factor_index(FactorLayout layout, int64_t i, int64_t c, int64_t rank,
                            int64_t channels) {
  return layout == FactorLayout::kRankByChannel ? i * channels + c : c * rank + i;
}

template <class Element>
using LowRankStat = std::conditional_t<std::is_same_v<Element, double>, double, float>;

// u = scale * x W^T
template <class Element>
void low_rank_reference_project(const LowRankProject& args) {
  using Stat = LowRankStat<Element>;
  const auto* x = static_cast<const Element*>(args.x);
  const auto* factor = static_cast<const Stat*>(args.factor);
  for (int64_t t = 0; t < args.rows; ++t) {
    for (int64_t i = 0; i < args.rank; ++i) {
      Stat sum = 0;
      for (int64_t c = 0; c < args.channels; ++c) {
        sum += static_cast<Stat>(x[t * args.x_stride + c]) *
               factor[factor_index(args.layout, i, c, args.rank, args.channels)];
      }
      static_cast<Stat*>(args.u)[t * args.rank + i] = static_cast<Stat>(args.scale) * sum;
    }
  }
}

// y += scale * u W
template <class Element>
void low_rank_reference_expand_add(const LowRankExpandAdd& args) {
  using Stat = LowRankStat<Element>;
  const auto* u = static_cast<const Stat*>(args.u);
  const auto* factor = static_cast<const Stat*>(args.factor);
  for (int64_t t = 0; t < args.rows; ++t) {
    for (int64_t c = 0; c < args.channels; ++c) {
      Stat sum = 0;
      for (int64_t i = 0; i < args.rank; ++i) {
        sum += u[t * args.rank + i] *
               factor[factor_index(args.layout, i, c, args.rank, args.channels)];
      }
      Element& y = static_cast<Element*>(args.y)[t * args.y_stride + c];
      y = static_cast<Element>(static_cast<Stat>(y) + static_cast<Stat>(args.scale) * sum);
    }
  }
}

// dW = scale * u^T x
template <class Element>
void low_rank_reference_weight_grad(const LowRankWeightGrad& args) {
  using Stat = LowRankStat<Element>;
  const auto* x = static_cast<const Element*>(args.x);
  const auto* u = static_cast<const Stat*>(args.u);
  for (int64_t i = 0; i < args.rank; ++i) {
    for (int64_t c = 0; c < args.channels; ++c) {
      Stat sum = 0;
      for (int64_t t = 0; t < args.rows; ++t) {
        sum += u[t * args.rank + i] * static_cast<Stat>(x[t * args.x_stride + c]);
      }
      static_cast<Stat*>(
          args.factor_grad)[factor_index(args.layout, i, c, args.rank, args.channels)] =
          static_cast<Stat>(args.scale) * sum;
    }
  }
}

}  // namespace inlay::kernels
