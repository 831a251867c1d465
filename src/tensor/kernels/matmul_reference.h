// Plain matrix products, for gradient checks in float64 and as the reference of the packed ones.
// Row-major.
#pragma once

#include <cstdint>

namespace inlay::kernels {

// dst (m, n) = left (m, k) * right (n, k)^T
template <class T>
void matmul_reference_nt(const T* left, const T* right, int64_t m, int64_t n, int64_t k, T* dst) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += left[i * k + p] * right[j * k + p];
      dst[i * n + j] = sum;
    }
  }
}

// dst (m, n) = left (m, k) * right (k, n)
template <class T>
void matmul_reference_nn(const T* left, const T* right, int64_t m, int64_t n, int64_t k, T* dst) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += left[i * k + p] * right[p * n + j];
      dst[i * n + j] = sum;
    }
  }
}

// dst (m, n) = left (k, m)^T * right (k, n)
template <class T>
void matmul_reference_tn(const T* left, const T* right, int64_t k, int64_t m, int64_t n, T* dst) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += left[p * m + i] * right[p * n + j];
      dst[i * n + j] = sum;
    }
  }
}

}  // namespace inlay::kernels
