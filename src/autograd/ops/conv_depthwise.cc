#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/conv_filters.h"
#include "autograd/ops/conv_routes.h"
#include "tensor/kernels/depthwise.h"

namespace inlay {
namespace {

kernels::Depthwise maps_of(const Convolution& conv) {
  return {conv.geometry, conv.maps, conv.shape.out};
}

// One filtering of `maps` maps or one of its gradients.
void count_product(OpContext& context, const Convolution& conv, int64_t maps) {
  context.useful_flops += 2.0 * static_cast<double>(maps * conv.geometry.outputs()) *
                          static_cast<double>(conv.geometry.taps() * conv.shape.out);
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
  kernels::depthwise_forward(maps_of(conv), in(x), in(taps), in(bias), out(y));
  return y;
}

// A chunk is of whole examples, whose maps its gradient is summed over.
void weight_gradient(OpContext& context, const Convolution& conv, std::size_t use, const Tensor& dy,
                     const Tensor& x) {
  const ConvShape& shape = conv.shape;
  int64_t taps = conv.geometry.taps(), outputs = conv.geometry.outputs();
  if (!conv.weights.weight->frozen()) count_product(context, conv, conv.maps);
  push_chunks_in_parallel(
      context, *conv.weights.weight, use, *conv.places,
      [&](int64_t first, int64_t last, const Tensor& leaf) {
        Tensor sums =
            Tensor::empty({taps, shape.out}, leaf.dtype());  // not from one thread's arena
        kernels::depthwise_taps_grad(
            {maps_of(conv), in(x), in(dy), first / outputs, last / outputs}, out(sums));
        transpose_filters(sums, {1, taps, shape.out}, leaf);
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
                               if (slot != nullptr) {
                                 Tensor dx = tape.empty_rows(slot->shape, slot->dtype);
                                 count_product(context, conv, conv.maps);
                                 kernels::depthwise_backward(maps_of(conv), in(dy), in(taps),
                                                             out(dx));
                                 tape.accumulate(slot, std::move(dx));
                               }
                               if (conv.weights.weight != nullptr)
                                 weight_gradient(context, conv, weight_use, dy, kept);
                               if (conv.weights.bias != nullptr)
                                 bias_gradient(context, conv, bias_use, dy);
                             });
}

}  // namespace inlay
