// Activation functions and derivatives by the standard library, computed in T (float or double).
#pragma once

#include <cmath>

#include "tensor/kernels/activation.h"

namespace inlay::kernels {

template <class T>
T sigmoid_reference(T x) {
  return T{1} / (T{1} + std::exp(-x));
}

template <class T>
T activation_value(Activation kind, T x) {
  switch (kind) {
    case Activation::kGelu:
      return x * T(0.5) * std::erfc(-x * T(M_SQRT1_2));
    case Activation::kGeluTanh:
      return x * sigmoid_reference(T(2 * 0.79788456080286535588) * (x + T(0.044715) * x * x * x));
    case Activation::kQuickGelu:
      return x * sigmoid_reference(T(1.702) * x);
    case Activation::kRelu:
      return x > 0 ? x : T{0};
    case Activation::kRelu6:
      return x > 6 ? T{6} : x > 0 ? x : T{0};
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return sigmoid_reference(x);
    case Activation::kSilu:
      return x * sigmoid_reference(x);
    case Activation::kIdentity:
      return x;
  }
  return x;
}

template <class T>
T activation_slope(Activation kind, T x) {
  switch (kind) {
    case Activation::kGelu:  // Phi(x) + x phi(x)
      return T(0.5) * std::erfc(-x * T(M_SQRT1_2)) +
             x * T(0.39894228040143267794) * std::exp(T(-0.5) * x * x);
    case Activation::kGeluTanh: {  // x sigmoid(2 u(x))
      const T root = T(2 * 0.79788456080286535588);
      const T s = sigmoid_reference(root * (x + T(0.044715) * x * x * x));
      return s + x * s * (1 - s) * root * (1 + T(3 * 0.044715) * x * x);
    }
    case Activation::kQuickGelu: {
      const T s = sigmoid_reference(T(1.702) * x);
      return s + x * s * (1 - s) * T(1.702);
    }
    case Activation::kRelu:
      return x > 0 ? T{1} : T{0};
    case Activation::kRelu6:
      return x > 0 && x < 6 ? T{1} : T{0};
    case Activation::kTanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::kSigmoid:
      return sigmoid_reference(x) * (1 - sigmoid_reference(x));
    case Activation::kSilu: {
      const T s = sigmoid_reference(x);
      return s + x * s * (1 - s);
    }
    case Activation::kIdentity:
      return T{1};
  }
  return T{1};
}

template <class T>
void activation_forward_reference(Activation kind, Input src, Output dst, int64_t count) {
  for (int64_t i = 0; i < count; ++i) dst.store(i, activation_value(kind, src.load<T>(i)));
}

template <class T>
void activation_backward_reference(Activation kind, Input src, Input grad_dst, Output grad_src,
                                   int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    grad_src.store(i, grad_dst.load<T>(i) * activation_slope(kind, src.load<T>(i)));
  }
}

}  // namespace inlay::kernels
