// Channels in another order.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// y[:, c] = x[:, from[c]]. REQUIRES: `from` is a permutation of the channels and outlives the
// backward pass.
Variable permute_channels(OpContext& context, const Variable& x, const std::vector<int64_t>& from);

}  // namespace inlay
