// What makes a product with circulant blocks two products of half the size: a circulant matrix of
// even size b is [P Q; Q P], so that the sums of the halves of a vector meet P + Q alone, and the
// differences P - Q.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// (rows, channels / 2), in compute precision: for each block of `block` channels its first half
// plus `sign` times its second. REQUIRES: block is even and divides the channels; sign is 1 or -1.
Variable combine_halves(OpContext& context, const Variable& x, int64_t block, double sign);

// The inverse of the sums and the differences, in full precision: for each block half of sum +
// difference, then half of sum - difference.
Variable join_halves(OpContext& context, const Variable& sums, const Variable& differences,
                     int64_t block);

}  // namespace inlay
