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

// Each example's rows of `inserted` set before its own row `at` of x, in `rows`: `at` own rows, the
// inserted ones, the others. REQUIRES: no example of x has fewer than `at` rows.
Variable insert_rows(OpContext& context, const Variable& x, const Variable& inserted, int64_t at,
                     const RowSpace* rows);

// The parameter's rows (n, channels) once for each example of `rows`, which has n rows for each.
Variable repeat_rows(OpContext& context, Parameter& parameter, Precision precision,
                     const RowSpace* rows);

// The rows with these numbers (ascending), in `rows`.
Variable select_rows(OpContext& context, const Variable& x, std::vector<int64_t> numbers,
                     const RowSpace* rows);

}  // namespace inlay
