// Row spaces of maps: what comes of a convolution or a pooling has as many rows for each example as
// its map has places.
//
//   RowSpace places = map_space(*x.row_space(), shape.output(x.row_space()->map));
#pragma once

#include "autograd/row_space.h"

namespace inlay {

// The space of the same examples and chunks with `count` rows each. REQUIRES: every example of
// `space` has rows.
RowSpace rows_of_each(const RowSpace& space, int64_t count);
// The same with maps of this size, behind `before` rows of no place.
RowSpace map_space(const RowSpace& space, MapSize map, int64_t before = 0);

}  // namespace inlay
