// The way back from select_rows(): some rows among zeros.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// x's rows at these row numbers (ascending) of `rows`; zeros elsewhere.
Variable place_rows(OpContext& context, const Variable& x, std::vector<int64_t> numbers,
                    const RowSpace* rows);

}  // namespace inlay
