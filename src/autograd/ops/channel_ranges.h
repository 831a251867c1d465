// Channels taken apart and joined, as the halves of a coupling layer are.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// y = x[:, first : first + count]
Variable slice_channels(OpContext& context, const Variable& x, int64_t first, int64_t count);

// y = [left, right], both of one type and row space.
Variable join_channels(OpContext& context, const Variable& left, const Variable& right);

}  // namespace inlay
