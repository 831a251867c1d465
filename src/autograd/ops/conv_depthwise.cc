#include <algorithm>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/conv_filters.h"
#include "autograd/ops/conv_routes.h"
#include "tensor/kernels/depthwise.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

kernels::Depthwise maps_of(const Convolution& conv) {
  return {conv.geometry, conv.maps, conv.shape.in};
}

// Channels of x that a channel of y is the sum of, each with filters of its own.
int64_t fan_of(const Convolution& conv) { return conv.shape.in / conv.shape.groups; }

// y(i) = bias(i) + the sum of the `fan` neighbours wide(i * fan ...), added in their order.
template <typename T>
void sum_neighbours(const Tensor& wide, int64_t fan, const Tensor& bias, const Tensor& y) {
  const T* from = wide.data<T>();
  int64_t channels = y.dim(1);
  kernels::parallel_ranges(y.dim(0), wide.dim(1), [&](int64_t first, int64_t last) {
    for (int64_t i = first * channels; i < last * channels; ++i) {
      T sum = bias.defined() ? in(bias).load<T>(i % channels) : T{0};
      for (int64_t k = 0; k < fan; ++k) sum += from[i * fan + k];
      out(y).store(i, sum);
    }
  });
}

// wide(i * fan + k) = dy(i) for each of the `fan` neighbours.
template <typename T>
void spread_to_neighbours(const Tensor& dy, int64_t fan, const Tensor& wide) {
  T* to = wide.mutable_data<T>();
  int64_t channels = dy.dim(1);
  kernels::parallel_ranges(dy.dim(0), wide.dim(1), [&](int64_t first, int64_t last) {
    for (int64_t i = first * channels; i < last * channels; ++i)
      std::fill_n(to + i * fan, fan, in(dy).load<T>(i));
  });
}

// One filtering of `maps` maps or one of its gradients.
void count_product(OpContext& context, const Convolution& conv, int64_t maps) {
  context.useful_flops += 2.0 * static_cast<double>(maps * conv.geometry.outputs()) *
                          static_cast<double>(conv.geometry.taps() * conv.shape.in);
}

// (taps, channels) in the type that the kernel multiplies in.
Tensor taps_of(OpContext& context, const Convolution& conv) {
  Parameter* trained = conv.weights.weight;
  Tensor taps = trained != nullptr ? tap_filters(conv.shape, trained->value(), &context.arena)
                                   : conv.weights.frozen->taps();
  DType full = context.dtype(Precision::kFull);
  return taps.dtype() == full ? taps : taps.to(full, &context.arena);
}

Tensor filtered(OpContext& context, const Convolution& conv, const Tensor& x, const Tensor& taps) {
  DType full = context.dtype(Precision::kFull);
  Tensor bias = bias_of(conv.weights);
  if (bias.defined() && bias.dtype() != full) bias = bias.to(full, &context.arena);
  Tensor y = context.tape.empty_rows({conv.maps * conv.geometry.outputs(), conv.shape.out},
                                     context.dtype(conv.precision));
  count_product(context, conv, conv.maps);
  if (fan_of(conv) == 1) {
    kernels::depthwise_forward(maps_of(conv), in(x), in(taps), in(bias), out(y));
    return y;
  }
  Tensor wide = context.tape.empty({y.dim(0), conv.shape.in}, full);
  kernels::depthwise_forward(maps_of(conv), in(x), in(taps), in(Tensor()), out(wide));
  (full == DType::kF64 ? sum_neighbours<double> : sum_neighbours<float>)(wide, fan_of(conv), bias,
                                                                         y);
  return y;
}

// The gradient of what each channel of x adds to y, (rows of y, in).
Tensor wide_gradient(OpContext& context, const Convolution& conv, const Tensor& dy) {
  if (fan_of(conv) == 1) return dy;
  DType full = context.dtype(Precision::kFull);
  Tensor wide = context.tape.empty({dy.dim(0), conv.shape.in}, full);
  (full == DType::kF64 ? spread_to_neighbours<double>
                       : spread_to_neighbours<float>)(dy, fan_of(conv), wide);
  return wide;
}

// A chunk is of whole examples, whose maps its gradient is summed over.
void weight_gradient(OpContext& context, const Convolution& conv, std::size_t use,
                     const Tensor& wide, const Tensor& x) {
  const ConvShape& shape = conv.shape;
  int64_t taps = conv.geometry.taps(), outputs = conv.geometry.outputs();
  if (!conv.weights.weight->frozen()) count_product(context, conv, conv.maps);
  push_chunks_in_parallel(
      context, *conv.weights.weight, use, *conv.places,
      [&](int64_t first, int64_t last, const Tensor& leaf) {
        Tensor sums = Tensor::empty({taps, shape.in}, leaf.dtype());  // not from one thread's arena
        kernels::depthwise_taps_grad(
            {maps_of(conv), in(x), in(wide), first / outputs, last / outputs}, out(sums));
        transpose_filters(sums, {1, taps, shape.in}, leaf);
      });
}

}  // namespace

Variable conv_depthwise(OpContext& context, const Variable& x, const Convolution& conv) {
  Tensor taps = taps_of(context, conv);
  Tensor y = filtered(context, conv, x.value(), taps);
  const ConvWeights& weights = conv.weights;
  std::size_t weight_use = begin_use(context, weights.weight);
  std::size_t bias_use = begin_use(context, weights.bias);
  Tensor kept = weights.weight != nullptr ? x.value() : Tensor();
  bool trains = weights.weight != nullptr || weights.bias != nullptr;
  return context.tape.record(std::move(y), conv.places, x.requires_grad() || trains,
                             [&context, conv, slot = x.slot(), taps, kept, weight_use, bias_use](
                                 Tape& tape, const Tensor& dy) {
                               Tensor wide = wide_gradient(context, conv, dy);
                               if (slot != nullptr) {
                                 Tensor dx = tape.empty_rows(slot->shape, slot->dtype);
                                 count_product(context, conv, conv.maps);
                                 kernels::depthwise_backward(maps_of(conv), in(wide), in(taps),
                                                             out(dx));
                                 tape.accumulate(slot, std::move(dx));
                               }
                               if (conv.weights.weight != nullptr)
                                 weight_gradient(context, conv, weight_use, wide, kept);
                               if (conv.weights.bias != nullptr)
                                 bias_gradient(context, conv, bias_use, dy);
                             });
}

}  // namespace inlay
