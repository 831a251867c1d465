// Normalisation over a batch as its definition reads, computed in T (float or double).
#pragma once

#include "tensor/kernels/batch_norm.h"

namespace inlay::kernels {

template <class T>
void channel_affine_reference(const ChannelAffine& args) {
  for (int64_t i = 0; i < args.rows * args.channels; ++i) {
    const int64_t c = i % args.channels;
    T y = args.src.load<T>(i) * args.factors.load<T>(c) + args.addends.load<T>(c);
    if (y < static_cast<T>(args.least)) y = static_cast<T>(args.least);
    if (y > static_cast<T>(args.most)) y = static_cast<T>(args.most);
    args.dst.store(i, y);
  }
}

template <class T>
void channel_affine_backward_reference(const ChannelAffineBackward& args) {
  for (int64_t i = 0; i < args.rows * args.channels; ++i) {
    const T y = args.y.load<T>(i);
    const bool out = y <= static_cast<T>(args.least) || y >= static_cast<T>(args.most);
    args.grad_x.store(
        i, out ? T{0} : args.grad_y.load<T>(i) * args.factors.load<T>(i % args.channels));
  }
}

// The mean of value(element) over the rows of channel c.
template <class T, class Value>
T mean_over_rows(int64_t rows, int64_t channels, int64_t c, const Value& value) {
  T sum = 0;
  for (int64_t r = 0; r < rows; ++r) sum += value(r * channels + c);
  return sum / static_cast<T>(rows);
}

template <class T>
void batch_moments_reference(const BatchMoments& args) {
  for (int64_t c = 0; c < args.channels; ++c) {
    auto over_rows = [&](auto value) {
      return mean_over_rows<T>(args.rows, args.channels, c, value);
    };
    const T mean = over_rows([&](int64_t i) { return args.src.load<T>(i); });
    args.mean.store(c, mean);
    args.variance.store(c, over_rows([&](int64_t i) {
                          const T from_mean = args.src.load<T>(i) - mean;
                          return from_mean * from_mean;
                        }));
  }
}

template <class T>
void batch_norm_forward_reference(const BatchNormForward& args) {
  for (int64_t i = 0; i < args.rows * args.channels; ++i) {
    const int64_t c = i % args.channels;
    const T xhat = (args.x.load<T>(i) - args.mean.load<T>(c)) * args.rstd.load<T>(c);
    if (args.xhat) args.xhat.store(i, xhat);
    args.y.store(i, xhat * args.gamma.load<T>(c) + args.beta.load<T>(c));
  }
}

template <class T>
void batch_norm_backward_reference(const BatchNormBackward& args) {
  for (int64_t c = 0; c < args.channels; ++c) {
    auto over_rows = [&](auto value) {
      return mean_over_rows<T>(args.rows, args.channels, c, value);
    };
    auto grad = [&](int64_t i) { return args.grad_y.load<T>(i); };
    auto xhat = [&](int64_t i) { return args.xhat.load<T>(i); };
    const T mean_grad = over_rows(grad);
    const T mean_product = over_rows([&](int64_t i) { return grad(i) * xhat(i); });
    for (int64_t i = c; i < args.rows * args.channels; i += args.channels) {
      args.grad_x.store(i,
                        args.factors.load<T>(c) * (grad(i) - mean_grad - xhat(i) * mean_product));
    }
  }
}

}  // namespace inlay::kernels
