// Taking rows apart and joining them: segments of a batch, and the tokens that a loss looks at.
#pragma once

#include <span>
#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// Rows [first, last) in a space of their own; shares memory.
Variable slice_rows(OpContext& context, const Variable& x, int64_t first, int64_t last,
                    const RowSpace* rows);

// The parts laid end to end, in `rows`.
Variable concat_rows(OpContext& context, std::span<const Variable> parts, const RowSpace* rows);

// The rows with these numbers (ascending), in `rows`.
Variable select_rows(OpContext& context, const Variable& x, std::vector<int64_t> numbers,
                     const RowSpace* rows);

}  // namespace inlay
