// Parameter updates, one element at a time, computed in T (float or double).
#pragma once

#include <cmath>

#include "tensor/kernels/optimizer.h"

namespace inlay::kernels {

template <class T>
void adamw_update_reference(const AdamW& adamw, const AdamWBuffers& buffers) {
  const auto step = static_cast<double>(adamw.step);
  const double correction1 = 1 - std::pow(adamw.beta1, step);
  const double correction2 = 1 - std::pow(adamw.beta2, step);
  const auto decay = static_cast<T>(1 - adamw.learning_rate * adamw.weight_decay);
  const auto rate = static_cast<T>(adamw.learning_rate / correction1);
  for (int64_t i = 0; i < buffers.count; ++i) {
    const T g = buffers.grad.load<T>(i);
    const T m = static_cast<T>(adamw.beta1) * Input(buffers.m).load<T>(i) +
                static_cast<T>(1 - adamw.beta1) * g;
    const T v = static_cast<T>(adamw.beta2) * Input(buffers.v).load<T>(i) +
                static_cast<T>(1 - adamw.beta2) * g * g;
    const T denominator =
        std::sqrt(v) / static_cast<T>(std::sqrt(correction2)) + static_cast<T>(adamw.epsilon);
    buffers.m.store(i, m);
    buffers.v.store(i, v);
    buffers.param.store(i, Input(buffers.param).load<T>(i) * decay - rate * m / denominator);
  }
}

template <class T>
void sgd_update_reference(const Sgd& sgd, const SgdBuffers& buffers) {
  for (int64_t i = 0; i < buffers.count; ++i) {
    const T p = Input(buffers.param).load<T>(i);
    T step = buffers.grad.load<T>(i) + static_cast<T>(sgd.weight_decay) * p;
    if (buffers.velocity) {
      step += static_cast<T>(sgd.momentum) * Input(buffers.velocity).load<T>(i);
      buffers.velocity.store(i, step);
    }
    buffers.param.store(i, p - static_cast<T>(sgd.learning_rate) * step);
  }
}

}  // namespace inlay::kernels
