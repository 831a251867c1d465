// Places of maps laid side by side, so that a convolution is a product of rows:
//
//   gather_patches(patches, x, 0, rows, columns);      columns (rows, taps * channels) W^T = y
//   scatter_patches(patches, grad_columns, 0, examples, grad_x);           its transpose
//
// A map is (places, map_channels), the maps of a batch end to end. A patch has the channels of its
// first tap, then of its second. A patch of one tap is a range of channels, which is how groups are
// taken apart and joined.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/kernels/patch_geometry.h"

namespace inlay::kernels {

struct Patches {
  PatchGeometry geometry;
  int64_t channels = 0;       // that are read of each place ...
  int64_t map_channels = 0;   // ... of so many
  int64_t first_channel = 0;  // of those that are read

  int64_t size() const { return geometry.taps() * channels; }
};

// dst (last - first, size()): the patches of output places [first, last), counted over all maps;
// zeros where a tap is outside of the map. src and dst are of one type of 2, 4 or 8 bytes, whose
// bits are copied. Parallel.
void gather_patches(const Patches& patches, Input src, int64_t first, int64_t last, Output dst);

// For maps [first, last) each place's channels become the sum of what the patches hold of it, added
// in the order of taps. src: the patches of these maps alone, f32; dst: all maps. Each place is
// summed by one thread, so the bits do not depend on how many there are. Parallel.
void scatter_patches(const Patches& patches, Input src, int64_t first, int64_t last, Output dst);

}  // namespace inlay::kernels
