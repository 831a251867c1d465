// PyTorch's random permutations on the CPU, to find the places that PEFT's seeds stand for.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay {

// The first `count` numbers of torch.randperm(total,
// generator=torch.Generator().manual_seed(seed)): exchanges from the front, each with an element
// drawn by a Mersenne twister from itself and what follows. REQUIRES: count <= total < 2^32.
std::vector<int64_t> torch_permutation(int64_t total, int64_t count, uint32_t seed);

}  // namespace inlay
