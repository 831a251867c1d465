// Soft caps (Gemma 2, arXiv:2408.00118, section 2), one number at a time, computed in T.
#pragma once

#include <cmath>

namespace inlay::kernels {

template <class T>
struct SoftCapped {
  T value;  // cap tanh(x / cap)
  T slope;  // its derivative, 1 - (value / cap)^2
};

// A cap of 0 leaves x as it is.
template <class T>
SoftCapped<T> soft_capped(T x, T cap) {
  if (cap == 0) return {x, T(1)};
  const T tangent = std::tanh(x / cap);
  return {cap * tangent, 1 - tangent * tangent};
}

}  // namespace inlay::kernels
