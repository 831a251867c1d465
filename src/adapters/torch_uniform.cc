#include "adapters/torch_uniform.h"

#include <cmath>

namespace inlay {

Tensor torch_kaiming_uniform(const Shape& shape, std::mt19937& generator) {
  Tensor values = Tensor::empty(shape, DType::kF32);
  double deviation = std::sqrt(2.0) / std::sqrt(static_cast<double>(shape[1]));
  auto bound = static_cast<float>(std::sqrt(3.0) * deviation);
  float width = bound - -bound;
  for (int64_t i = 0; i < values.count(); ++i) {
    auto low = static_cast<uint32_t>(generator()) & 0xFFFFFFu;
    values.mutable_data<float>()[i] = std::fma(static_cast<float>(low) * 0x1p-24f, width, -bound);
  }
  return values;
}

}  // namespace inlay
