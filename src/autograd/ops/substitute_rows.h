// Rows of a table that are trained, among what the frozen table gave.
#pragma once

#include <span>

#include "autograd/op_context.h"
#include "autograd/trained_rows.h"

namespace inlay {

// x(t) is row ids[t] of a table; y(t) is that row as trained where it is, and x(t) where it is not:
// the lookup in W.index_copy(0, numbers, values) without that table. x: (tokens, channels).
Variable substitute_rows(OpContext& context, const Variable& x, std::span<const int32_t> ids,
                         const TrainedRows& trained);

}  // namespace inlay
