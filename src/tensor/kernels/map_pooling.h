// Pooling of the places that a window sees: the largest number of each channel, or their mean.
//
//   max_pool_forward({geometry, maps, channels}, x, y, winners);
//   max_pool_backward({geometry, maps, channels}, grad_y, winners, grad_x);
//
// Maps are (places, channels), those of a batch end to end. Places around the map never win.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/kernels/patch_geometry.h"

namespace inlay::kernels {

struct PooledMaps {
  PatchGeometry geometry;  // every window sees at least one place
  int64_t maps = 0;
  int64_t channels = 0;
};

// winners (output places, channels), or null: which place of its map each number came from. Of
// equal ones the first wins, and a NaN beats every number. Parallel.
void max_pool_forward(const PooledMaps& args, Input src, Output dst, int32_t* winners);

// Gradients go to the winners; those of one place are added in the order of taps. Parallel.
void max_pool_backward(const PooledMaps& args, Input grad_dst, const int32_t* winners,
                       Output grad_src);

// What a sum is divided by: the size of the window (PyTorch's count_include_pad), or how many
// places it sees.
enum class PoolDivisor { kWindow, kPlaces };

// Places are added in the order of taps. Parallel.
void average_pool_forward(const PooledMaps& args, PoolDivisor divisor, Input src, Output dst);
void average_pool_backward(const PooledMaps& args, PoolDivisor divisor, Input grad_dst,
                           Output grad_src);

}  // namespace inlay::kernels
