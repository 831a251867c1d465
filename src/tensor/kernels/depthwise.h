// Depthwise convolution: every channel is filtered by itself, with one weight for each tap of the
// window.
//
//   depthwise_forward({geometry, maps, channels}, x, taps, bias, y);
//
// Maps are (places, channels), those of a batch end to end; taps (taps, channels) and bias
// (channels) are f32.
#pragma once

#include "tensor/kernels/operand.h"
#include "tensor/kernels/patch_geometry.h"

namespace inlay::kernels {

struct Depthwise {
  PatchGeometry geometry;
  int64_t maps = 0;
  int64_t channels = 0;
};

// dst(o, c) = bias(c) + sum of taps(t, c) src(i, c) over what output place o reads, in the order of
// taps; `bias` may be absent. Parallel.
void depthwise_forward(const Depthwise& args, Input src, Input taps, Input bias, Output dst);

// grad_src(i, c) = sum of taps(t, c) grad_dst(o, c) over the output places that read i, in the
// order of taps. Parallel.
void depthwise_backward(const Depthwise& args, Input grad_dst, Input taps, Output grad_src);

// grad_taps(t, c) = sum of grad_dst(o, c) src(i, c) over the places o of maps [first, last), added
// in their order; f32. Single-threaded, so that chunks can run in parallel.
struct DepthwiseTapsGrad {
  Depthwise of;
  Input src, grad_dst;  // all maps
  int64_t first = 0, last = 0;
};
void depthwise_taps_grad(const DepthwiseTapsGrad& args, Output grad_taps);

}  // namespace inlay::kernels
