// Maps of up to twice the height and width by repeating places: what a feature pyramid adds to a
// finer map (Lin et al. 2016, "Feature Pyramid Networks for Object Detection", arXiv:1612.03144,
// section 3).
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x, whose row space has maps and nothing before them -> the same examples with the maps of `rows`,
// at most twice as high and wide, in x's own type: place (i, j) is x's place (i / 2, j / 2).
// Backward: the sum over the places that read one.
Variable upsample_map(OpContext& context, const Variable& x, const RowSpace* rows);

}  // namespace inlay
