// Panels: columns [first, first + width) of a right-hand side W (in, out), each laid out by itself
// as one kernel reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/onednn/cpu_engine.h"

namespace inlay::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

inline constexpr int64_t kPanelColumns = 128;

inline dnnl::memory::data_type element_type(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return dnnl::memory::data_type::f32;
    case DType::kBF16:
      return dnnl::memory::data_type::bf16;
    case DType::kF16:
      return dnnl::memory::data_type::f16;
    default:
      fail(ErrorKind::kInternal, "no matrix product in {}", dtype_name(dtype));
  }
}

// What oneDNN multiplies where `compute` is asked for: bf16 in f32 on a processor without AVX-512,
// which is exact for each product of two bf16 numbers.
inline DType multiplied(DType compute) { return has_avx512() ? compute : DType::kF32; }

inline Desc row_major(int64_t rows, int64_t columns, DType dtype) {
  return Desc(Dims{rows, columns}, element_type(dtype), dnnl::memory::format_tag::ab);
}

// Bytes rounded up to whole cache lines.
inline std::size_t whole_lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// How a panel's numbers lie: as the kernel prefers, or the rows or columns one after another.
enum class PanelOrder { kPreferred, kRows, kColumns };

struct Panel {
  int64_t first, width;
  PanelOrder order;
  Desc desc;
  std::size_t offset;  // bytes into packed memory
  int64_t stride = 0;  // elements from one row or column to the next; 0: kPreferred
};

}  // namespace inlay::onednn
