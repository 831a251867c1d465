// Each row from one of several values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// Row i of the result is row i of parts[choice[i]]; the parts have one shape, type and space. The
// gradient of a row goes to the part that it came from.
Variable choose_rows(OpContext& context, std::span<const Variable> parts,
                     std::vector<std::size_t> choice);

}  // namespace inlay
