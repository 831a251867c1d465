// Pooling of maps with a window that moves over them. Rows are places, channels last.
#pragma once

#include "autograd/op_context.h"
#include "tensor/kernels/map_pooling.h"

namespace inlay {

using kernels::PoolDivisor;

// A square window.
struct MapPooling {
  int64_t kernel = 1, stride = 1;
  int64_t padding = 0;  // on every side; less than the kernel

  // The map that comes of one. kInput where the padded map is smaller than the window.
  MapSize output(MapSize input) const;
};

// x (places, channels), whose row space has a map and nothing before it -> (places of the output,
// channels) in `places` (Context::map_space), in x's own type. The largest number of each channel;
// its gradient goes to the first of those that are equal.
Variable max_pool(OpContext& context, const Variable& x, const MapPooling& pooling,
                  const RowSpace* places);

// The mean of each channel, counting places around the map or not.
Variable average_pool(OpContext& context, const Variable& x, const MapPooling& pooling,
                      PoolDivisor divisor, const RowSpace* places);

}  // namespace inlay
