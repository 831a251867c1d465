// Maps of another size by bicubic interpolation (Keys 1981, "Cubic convolution interpolation for
// digital image processing", with PyTorch's a = -0.75 and places in the middle of their pixels).
// Nothing is blurred where a map shrinks, and beyond its edge the edge goes on: what Hugging Face
// does to tables of positions.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x, whose row space has maps -> the same examples with the maps of `rows`, in x's own type. Rows
// before the maps, as many in both spaces, stay as they are.
Variable resize_map(OpContext& context, const Variable& x, const RowSpace* rows);

}  // namespace inlay
