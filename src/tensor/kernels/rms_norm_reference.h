// Root-mean-square normalisation as its definition reads, computed in T (float or double).
#pragma once

#include <cmath>

#include "tensor/kernels/rms_norm.h"

namespace inlay::kernels {

template <class T>
void rms_norm_forward_reference(const RmsNormForward& args) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < args.rows; ++t) {
    auto s = [&](int64_t c) {
      T x = args.x.load<T>(t * channels + c);
      return args.residual ? x + args.residual.load<T>(t * channels + c) : x;
    };
    T square = 0;
    for (int64_t c = 0; c < channels; ++c) square += s(c) * s(c);
    square /= static_cast<T>(channels);
    const T rstd = T{1} / std::sqrt(square + static_cast<T>(args.epsilon));
    if (args.rstd) args.rstd.store(t, rstd);
    for (int64_t c = 0; c < channels; ++c) {
      const T xhat = s(c) * rstd;
      const T y = xhat * args.weight.load<T>(c);
      if (args.xhat) args.xhat.store(t * channels + c, xhat);
      args.y.store(t * channels + c, y);
      if (args.y_copy) args.y_copy.store(t * channels + c, y);
    }
  }
}

template <class T>
void rms_norm_backward_reference(const RmsNormBackward& args) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < args.rows; ++t) {
    auto g = [&](int64_t c) {
      return args.grad_y.load<T>(t * channels + c) * args.weight.load<T>(c);
    };
    auto xhat = [&](int64_t c) { return args.xhat.load<T>(t * channels + c); };
    T mean_gx = 0;
    for (int64_t c = 0; c < channels; ++c) mean_gx += g(c) * xhat(c);
    mean_gx /= static_cast<T>(channels);
    const T rstd = args.rstd.load<T>(t);
    for (int64_t c = 0; c < channels; ++c) {
      const T grad_x = rstd * (g(c) - xhat(c) * mean_gx);
      args.grad_x.store(t * channels + c, grad_x);
      if (args.grad_x_copy) args.grad_x_copy.store(t * channels + c, grad_x);
    }
  }
}

}  // namespace inlay::kernels
