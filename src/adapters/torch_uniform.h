// Random numbers as PyTorch draws them on a CPU, so that matrices which files leave out can be
// drawn again, bit for bit.
#pragma once

#include <random>

#include "tensor/tensor.h"

namespace inlay {

// torch.nn.init.kaiming_uniform_ with its default gain sqrt(2) of an F32 tensor (rows, fan in),
// from the generator's next numbers in row-major order: with u the lower 24 bits of a number times
// 2^-24 and b = sqrt(6 / fan in), the value is fma(u, 2 b, -b).
Tensor torch_kaiming_uniform(const Shape& shape, std::mt19937& generator);

}  // namespace inlay
