// The ways that a convolution runs, of which conv() takes one. What they are given is checked.
#pragma once

#include "autograd/ops/conv.h"
#include "tensor/kernels/patch_geometry.h"

namespace inlay {

struct Convolution {
  ConvShape shape;
  ConvWeights weights;
  kernels::PatchGeometry geometry;
  int64_t maps = 0;                  // of this micro-batch
  const RowSpace* places = nullptr;  // of the result
  Precision precision = Precision::kFull;
};

// Whether the patches are the rows of the map as they stand.
inline bool is_pointwise(const ConvShape& shape) {
  return shape.kernel_height == 1 && shape.kernel_width == 1 && shape.stride_height == 1 &&
         shape.stride_width == 1 && shape.padding == Padding{} && shape.groups == 1;
}

// Whether each channel of x has one filter of its own, and a channel of y is the sum of one or more
// neighbours: depthwise convolutions, and those of Conv-Adapter.
inline bool filters_channels(const ConvShape& shape) {
  return shape.groups > 1 && shape.groups == shape.out;
}

// A trained bias (out), the frozen one, or undefined.
inline Tensor bias_of(const ConvWeights& weights) {
  if (weights.bias != nullptr) return weights.bias->value();
  return weights.frozen != nullptr ? weights.frozen->bias() : Tensor();
}

// db: the sum of dy over each chunk.
void bias_gradient(OpContext& context, const Convolution& conv, std::size_t use, const Tensor& dy);

// As products of patches: any groups.
Variable conv_by_patches(OpContext& context, const Variable& x, const Convolution& conv);

// Whether a convolution is to so few channels that those of all taps are still fewer than its
// patches have: the first half of a low-rank update.
inline bool narrows(const ConvShape& shape, const ConvWeights& weights) {
  bool alone = weights.weight != nullptr && weights.frozen == nullptr && weights.bias == nullptr;
  return alone && shape.groups == 1 && shape.out * 4 <= shape.in;
}

// REQUIRES: narrows(conv.shape, conv.weights) and a result in full precision.
Variable conv_by_places(OpContext& context, const Variable& x, const Convolution& conv);

// REQUIRES: filters_channels(conv.shape).
Variable conv_depthwise(OpContext& context, const Variable& x, const Convolution& conv);

}  // namespace inlay
