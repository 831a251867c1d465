// Layer normalisation as its definition reads, computed in T (float or double) from any operands.
#pragma once

#include <cmath>

#include "tensor/kernels/layer_norm.h"

namespace inlay::kernels {

template <class T>
void layer_norm_forward_reference(const LayerNormForward& args) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < args.rows; ++t) {
    auto s = [&](int64_t c) {
      T x = args.x.load<T>(t * channels + c);
      return args.residual ? x + args.residual.load<T>(t * channels + c) : x;
    };
    T mean = 0, variance = 0;
    for (int64_t c = 0; c < channels; ++c) mean += s(c);
    mean /= static_cast<T>(channels);
    for (int64_t c = 0; c < channels; ++c) variance += (s(c) - mean) * (s(c) - mean);
    variance /= static_cast<T>(channels);
    const T rstd = T{1} / std::sqrt(variance + static_cast<T>(args.epsilon));
    if (args.rstd) args.rstd.store(t, rstd);
    for (int64_t c = 0; c < channels; ++c) {
      const T xhat = (s(c) - mean) * rstd;
      const T y = xhat * args.gamma.load<T>(c) + args.beta.load<T>(c);
      if (args.xhat) args.xhat.store(t * channels + c, xhat);
      args.y.store(t * channels + c, y);
      if (args.y_copy) args.y_copy.store(t * channels + c, y);
    }
  }
}

template <class T>
void layer_norm_backward_reference(const LayerNormBackward& args) {
  const int64_t channels = args.channels;
  for (int64_t t = 0; t < args.rows; ++t) {
    auto g = [&](int64_t c) {
      return args.grad_y.load<T>(t * channels + c) * args.gamma.load<T>(c);
    };
    auto xhat = [&](int64_t c) { return args.xhat.load<T>(t * channels + c); };
    T mean_g = 0, mean_gx = 0;
    for (int64_t c = 0; c < channels; ++c) {
      mean_g += g(c);
      mean_gx += g(c) * xhat(c);
    }
    mean_g /= static_cast<T>(channels);
    mean_gx /= static_cast<T>(channels);
    const T rstd = args.rstd.load<T>(t);
    for (int64_t c = 0; c < channels; ++c) {
      const T grad_x = rstd * (g(c) - mean_g - xhat(c) * mean_gx);
      args.grad_x.store(t * channels + c, grad_x);
      if (args.grad_x_copy) args.grad_x_copy.store(t * channels + c, grad_x);
    }
  }
}

template <class T>
void layer_norm_param_grad_reference(const LayerNormParamGrad& args) {
  for (int64_t c = 0; c < args.channels; ++c) {
    T grad_gamma = 0, grad_beta = 0;
    for (int64_t t = args.first; t < args.last; ++t) {
      const T grad_y = args.grad_y.load<T>(t * args.channels + c);
      grad_gamma += grad_y * args.xhat.load<T>(t * args.channels + c);
      grad_beta += grad_y;
    }
    args.grad_gamma.store(c, grad_gamma);
    if (args.grad_beta) args.grad_beta.store(c, grad_beta);
  }
}

}  // namespace inlay::kernels
