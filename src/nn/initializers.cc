#include "nn/initializers.h"

#include <algorithm>
#include <cmath>

namespace inlay {

Tensor constant_init(const Shape& shape, float value) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  std::fill_n(tensor.mutable_data<float>(), tensor.count(), value);
  return tensor;
}

Tensor normal_init(const Shape& shape, float std, const Stream& stream) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  auto* values = tensor.mutable_data<float>();
  for (int64_t i = 0; i < tensor.count(); ++i)
    values[i] = std * stream.normal(static_cast<uint64_t>(i));
  return tensor;
}

Tensor uniform_init(const Shape& shape, float bound, const Stream& stream) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  auto* values = tensor.mutable_data<float>();
  for (int64_t i = 0; i < tensor.count(); ++i) {
    values[i] = bound * (2.0f * stream.uniform(static_cast<uint64_t>(i)) - 1.0f);
  }
  return tensor;
}

Tensor kaiming_uniform_init(const Shape& shape, const Stream& stream) {
  return uniform_init(shape, 1.0f / std::sqrt(static_cast<float>(shape[1])), stream);
}

}  // namespace inlay
