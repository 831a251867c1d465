// A layer whose weight has few elements, at fixed places.
#pragma once

#include <span>

#include "autograd/op_context.h"

namespace inlay {

// Where elements stand, once by the outputs and once by the inputs: both I32 (channels + 1 + 2 n)
// for n elements, as sparse_order() makes them.
struct SparsePlaces {
  Parameter& by_output;
  Parameter& by_input;
};

// For each result channel from 0 where its elements begin, one more for the end; then, in that
// order, the channel each element multiplies; then which element it is. `result` and `read` hold n
// channels each, below `count` for `result`.
Tensor sparse_order(std::span<const int32_t> result, std::span<const int32_t> read, int64_t count);

// y = x S^T in full precision, S (out, in) with `values` (n) at `places`. Backward: dS = dy^T x at
// these places, dx = dy S.
Variable sparse_linear(OpContext& context, const Variable& x, Parameter& values,
                       const SparsePlaces& places);

}  // namespace inlay
