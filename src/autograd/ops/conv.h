// Two-dimensional convolution of maps whose rows are places: (examples * height * width, channels),
// channels last. It runs as products: the k x k places that an output reads are laid side by side
// (tensor/kernels/patches.h), some rows at a time, and multiplied by the packed weight. So results
// have the bits of products (docs/adr/0001, 0003), whatever the threads and micro-batches; a 1 x 1
// convolution is a linear layer. Depthwise convolutions have a kernel of their own.
#pragma once

#include "autograd/frozen_weight.h"
#include "autograd/op_context.h"

namespace inlay {

// Zeros around a map.
struct Padding {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

struct ConvShape {
  int64_t in = 0, out = 0;  // channels
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t dilation_height = 1, dilation_width = 1;
  int64_t groups = 1;  // divides `in` and `out`
  Padding padding = {};

  // Every channel has one filter of its own.
  bool depthwise() const { return groups > 1 && groups == in && groups == out; }
  // As Hugging Face stores it: (out, in / groups, kernel_height, kernel_width).
  Shape weight_shape() const { return {out, in / groups, kernel_height, kernel_width}; }
  // The map that comes of one. kInput, naming both, where the padded map is smaller than the
  // kernel.
  MapSize output(MapSize input) const;
};

// The padding of TensorFlow's "SAME": an output of ceil(size / stride), and of an odd number of
// zeros the larger half at the end.
Padding same_padding(const ConvShape& shape, MapSize input);

// A frozen filter bank in the layouts that the forward and the backward pass read, made at first
// use, under a lock; shared by all contexts.
class FrozenConv {
 public:
  // `weight` is of shape.weight_shape(), in F32, BF16 or F16, and stays where it is; `bias` (out)
  // or undefined.
  FrozenConv(ConvShape shape, Tensor weight, const Tensor& bias);

  const ConvShape& shape() const { return shape_; }
  const Tensor& weight() const { return weight_; }
  const Tensor& bias() const { return bias_; }  // F32, undefined when there is none

  // The filters of one group as a linear layer of patches, (out / groups, kernel_height *
  // kernel_width * in / groups): a patch has the channels of its first place, then of its second.
  const FrozenWeight& group(int64_t number) const;
  // Of a depthwise convolution: (kernel_height * kernel_width, channels), F32.
  const Tensor& taps() const;

 private:
  ConvShape shape_;
  Tensor weight_, bias_;
  std::unique_ptr<std::mutex> lock_ = std::make_unique<std::mutex>();
  mutable std::vector<FrozenWeight> groups_;
  mutable Tensor taps_;
};

// Where a convolution takes its numbers from: a trainable tensor where one is given, the frozen one
// otherwise.
struct ConvWeights {
  const FrozenConv* frozen = nullptr;
  Parameter* weight = nullptr;  // weight_shape()
  Parameter* bias = nullptr;    // (out)
};

// x (places, in), whose row space has a map and nothing before it -> (places of the output, out) in
// `places`, the space of the output's map (Context::map_space). Padding and stride are those of
// `shape`, channels and kernel those of the weights, too. Backward: dx where it is wanted; dW and
// db, per chunk of examples, where trainable.
Variable conv(OpContext& context, const Variable& x, const ConvShape& shape,
              const ConvWeights& weights, const RowSpace* places, Precision precision);

}  // namespace inlay
