// Pooling of ragged rows, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/pooling.h"

namespace inlay::kernels {

template <class T>
void pooling_forward_reference(Pooling kind, const RaggedRows& ragged, Input src, Output dst) {
  const int64_t channels = ragged.channels;
  for (int64_t b = 0; b < ragged.rows; ++b) {
    int64_t first = ragged.offsets[b], last = ragged.offsets[b + 1];
    if (kind == Pooling::kFirst && last > first) last = first + 1;
    if (kind == Pooling::kLast && last > first) first = last - 1;
    for (int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (int64_t t = first; t < last; ++t) sum += src.load<T>(t * channels + c);
      dst.store(b * channels + c,
                last > first ? sum * (T{1} / static_cast<T>(last - first)) : T{0});
    }
  }
}

template <class T>
void pooling_backward_reference(Pooling kind, const RaggedRows& ragged, Input grad_dst,
                                Output grad_src) {
  const int64_t channels = ragged.channels;
  for (int64_t b = 0; b < ragged.rows; ++b) {
    const int64_t first = ragged.offsets[b], last = ragged.offsets[b + 1];
    for (int64_t t = first; t < last; ++t) {
      T share = T{1} / static_cast<T>(last - first);
      if (kind == Pooling::kFirst) share = t == first ? T{1} : T{0};
      if (kind == Pooling::kLast) share = t == last - 1 ? T{1} : T{0};
      for (int64_t c = 0; c < channels; ++c) {
        grad_src.store(t * channels + c, grad_dst.load<T>(b * channels + c) * share);
      }
    }
  }
}

}  // namespace inlay::kernels
