// Conversion between floating types. Narrowing rounds to nearest, ties to even.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace inlay::kernels {

// Any pair of F16, BF16, F32, F64; `count` elements; no overlap.
void convert(const std::byte* src, DType src_dtype, std::byte* dst, DType dst_dtype, int64_t count);

// Part of a matrix, (rows, columns), whose rows begin `stride` elements after each other, as rows
// that begin `dst_stride` elements after each other, as many as there are columns where it is 0; on
// the calling thread alone.
struct StridedRows {
  const std::byte* data;
  DType dtype;
  int64_t rows, columns, stride;
};
void convert_rows(const StridedRows& src, std::byte* dst, DType dst_dtype, int64_t dst_stride = 0);

}  // namespace inlay::kernels
