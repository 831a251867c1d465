#include "tensor/kernels/operand.h"

#include "base/error.h"

namespace inlay::kernels {

bool runs_in_double(std::initializer_list<Input> operands) {
  const bool wide = operands.begin()->dtype() == DType::kF64;
  for (const Input& operand : operands) {
    if (!operand) continue;
    const DType dtype = operand.dtype();
    const bool fits = wide ? dtype == DType::kF64 : dtype == DType::kF32 || dtype == DType::kBF16;
    ensure(fits, "a kernel was given {}; it takes F32 and BF16, or F64 for every operand",
           dtype_name(dtype));
  }
  return wide;
}

}  // namespace inlay::kernels
