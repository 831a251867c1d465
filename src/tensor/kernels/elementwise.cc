#include "tensor/kernels/elementwise.h"

#include "tensor/kernels/elementwise_reference.h"

namespace inlay::kernels {

void add(Input a, Input b, Output dst, int64_t count) {
  if (a.dtype() == DType::kF64) return add_reference<double>(a, b, dst, count);
  add_reference<float>(a, b, dst, count);
}

void multiply(Input a, Input b, Output dst, int64_t count) {
  if (a.dtype() == DType::kF64) return multiply_reference<double>(a, b, dst, count);
  multiply_reference<float>(a, b, dst, count);
}

void scale(Input src, double factor, Output dst, int64_t count) {
  if (src.dtype() == DType::kF64) return scale_reference<double>(src, factor, dst, count);
  scale_reference<float>(src, factor, dst, count);
}

void add_in_place(Output dst, Input src, int64_t count) {
  if (src.dtype() == DType::kF64) return add_reference<double>(dst, src, dst, count);
  add_reference<float>(dst, src, dst, count);
}

void axpy(double factor, Input src, Output dst, int64_t count) {
  if (src.dtype() == DType::kF64) return axpy_reference<double>(factor, src, dst, count);
  axpy_reference<float>(factor, src, dst, count);
}

void lerp(Input base, Input adapted, double gate, Output dst, int64_t count) {
  if (base.dtype() == DType::kF64) return lerp_reference<double>(base, adapted, gate, dst, count);
  lerp_reference<float>(base, adapted, gate, dst, count);
}

void add_bias(Input src, Input bias, Output dst, int64_t rows, int64_t columns) {
  if (src.dtype() == DType::kF64) return add_bias_reference<double>(src, bias, dst, rows, columns);
  add_bias_reference<float>(src, bias, dst, rows, columns);
}

}  // namespace inlay::kernels
