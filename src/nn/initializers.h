// Initial values of trainable tensors, each from a random stream of its own.
#pragma once

#include "base/random.h"
#include "tensor/tensor.h"

namespace inlay {

// The same number everywhere, F32.
Tensor constant_init(const Shape& shape, float value);

// N(0, std^2), F32.
Tensor normal_init(const Shape& shape, float std, const Stream& stream);

// U(-bound, bound), F32.
Tensor uniform_init(const Shape& shape, float bound, const Stream& stream);

// PyTorch's kaiming_uniform_ with a = sqrt(5), its default for linear layers: U(-1/sqrt(in),
// 1/sqrt(in)) for (out, in).
Tensor kaiming_uniform_init(const Shape& shape, const Stream& stream);

}  // namespace inlay
