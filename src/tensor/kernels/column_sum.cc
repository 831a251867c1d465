#include "tensor/kernels/column_sum.h"

#include "tensor/kernels/column_sum_reference.h"

namespace inlay::kernels {

void column_sum(Input src, int64_t columns, int64_t first, int64_t last, Output dst) {
  if (src.dtype() == DType::kF64)
    return column_sum_reference<double>(src, columns, first, last, dst);
  column_sum_reference<float>(src, columns, first, last, dst);
}

}  // namespace inlay::kernels
