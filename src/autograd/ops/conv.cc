#include "autograd/ops/conv.h"

#include <algorithm>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/conv_filters.h"
#include "autograd/ops/conv_routes.h"
#include "autograd/ops/linear.h"
#include "tensor/kernels/column_sum.h"

namespace inlay {
namespace {

constexpr int64_t kMaxStep = 1 << 15;  // of a kernel, stride, dilation, padding
constexpr int64_t kMaxChannels = 1 << 24;

// Shapes come from configurations.
void require_sound(const ConvShape& shape) {
  for (int64_t size : {shape.kernel_height, shape.kernel_width, shape.stride_height,
                       shape.stride_width, shape.dilation_height, shape.dilation_width}) {
    require(size >= 1 && size <= kMaxStep, ErrorKind::kInput,
            "a kernel, stride or dilation of a convolution is {}, expected 1 to {}", size,
            kMaxStep);
  }
  for (int64_t zeros :
       {shape.padding.top, shape.padding.left, shape.padding.bottom, shape.padding.right}) {
    // Less than none leaves places at the edge out.
    require(zeros >= -kMaxStep && zeros <= kMaxStep, ErrorKind::kInput,
            "the padding of a convolution is {}, expected -{} to {}", zeros, kMaxStep, kMaxStep);
  }
  require(shape.in >= 1 && shape.in <= kMaxChannels && shape.out >= 1 && shape.out <= kMaxChannels,
          ErrorKind::kInput, "a convolution from {} to {} channels, expected 1 to {}", shape.in,
          shape.out, kMaxChannels);
  require(shape.groups >= 1 && shape.in % shape.groups == 0 && shape.out % shape.groups == 0,
          ErrorKind::kInput, "a convolution from {} to {} channels in {} groups, which divide both",
          shape.in, shape.out, shape.groups);
}

// Places that a kernel reaches over.
int64_t reach(int64_t kernel, int64_t dilation) { return dilation * (kernel - 1) + 1; }

// Zeros before and after one direction of a map.
std::pair<int64_t, int64_t> same_zeros(int64_t size, int64_t reach, int64_t stride) {
  int64_t outputs = (size + stride - 1) / stride;
  int64_t zeros = std::max<int64_t>((outputs - 1) * stride + reach - size, 0);
  return {zeros / 2, zeros - zeros / 2};
}

kernels::PatchGeometry geometry_of(const ConvShape& shape, MapSize input, MapSize output) {
  return {.input_height = input.height,
          .input_width = input.width,
          .output_height = output.height,
          .output_width = output.width,
          .kernel_height = shape.kernel_height,
          .kernel_width = shape.kernel_width,
          .stride_height = shape.stride_height,
          .stride_width = shape.stride_width,
          .dilation_height = shape.dilation_height,
          .dilation_width = shape.dilation_width,
          .top = shape.padding.top,
          .left = shape.padding.left};
}

void ensure_fit(const ConvShape& shape, const ConvWeights& weights) {
  ensure(weights.weight != nullptr || weights.frozen != nullptr, "a convolution without a weight");
  const Shape& found =
      weights.weight != nullptr ? weights.weight->shape() : weights.frozen->weight().shape();
  ensure(found == shape.weight_shape(), "a convolution's weight is {}, expected {}", found.text(),
         shape.weight_shape().text());
  Tensor bias = bias_of(weights);
  ensure(!bias.defined() || bias.count() == shape.out, "a bias of {} for {} channels",
         bias.defined() ? bias.count() : 0, shape.out);
}

// Of each group's filters as a linear layer of patches.
std::vector<FrozenWeight> frozen_groups(const ConvShape& shape, const Tensor& weight,
                                        const Tensor& bias) {
  Tensor filters = patch_filters(shape, weight, tensor_heap());
  int64_t rows = shape.out / shape.groups;
  std::vector<FrozenWeight> groups;
  groups.reserve(static_cast<std::size_t>(shape.groups));
  for (int64_t first = 0; first < shape.out; first += rows) {
    Tensor own = bias.defined() ? bias.rows(first, first + rows) : Tensor();
    groups.emplace_back(filters.rows(first, first + rows), std::move(own), onednn::Layout::kOutIn,
                        nullptr);
  }
  return groups;
}

}  // namespace

MapSize ConvShape::output(MapSize input) const {
  require_sound(*this);
  int64_t height = input.height + padding.top + padding.bottom;
  int64_t width = input.width + padding.left + padding.right;
  int64_t down = reach(kernel_height, dilation_height);
  int64_t across = reach(kernel_width, dilation_width);
  require(height >= down && width >= across, ErrorKind::kInput,
          "a map of {} x {} with its padding (height x width) is smaller than a kernel that "
          "reaches over {} x {}; use larger images",
          height, width, down, across);
  return {(height - down) / stride_height + 1, (width - across) / stride_width + 1};
}

Padding same_padding(const ConvShape& shape, MapSize input) {
  require_sound(shape);
  auto [top, bottom] = same_zeros(input.height, reach(shape.kernel_height, shape.dilation_height),
                                  shape.stride_height);
  auto [left, right] =
      same_zeros(input.width, reach(shape.kernel_width, shape.dilation_width), shape.stride_width);
  return {top, left, bottom, right};
}

FrozenConv::FrozenConv(ConvShape shape, Tensor weight, const Tensor& bias)
    : shape_(shape), weight_(std::move(weight)) {
  require_sound(shape_);
  require(weight_.shape() == shape_.weight_shape(), ErrorKind::kInput,
          "the weight of a convolution is {}, expected {} (out, in / groups, height, width)",
          weight_.shape().text(), shape_.weight_shape().text());
  require(!bias.defined() || bias.shape() == Shape{shape_.out}, ErrorKind::kInput,
          "the bias of a convolution is {}, expected ({})",
          bias.defined() ? bias.shape().text() : "", shape_.out);
  if (bias.defined()) bias_ = bias.to(DType::kF32);
}

const FrozenWeight& FrozenConv::group(int64_t number) const {
  std::lock_guard guard(*lock_);
  if (groups_.empty()) groups_ = frozen_groups(shape_, weight_, bias_);
  return groups_[static_cast<std::size_t>(number)];
}

const Tensor& FrozenConv::taps() const {
  std::lock_guard guard(*lock_);
  if (!taps_.defined()) taps_ = tap_filters(shape_, weight_, tensor_heap()).to(DType::kF32);
  return taps_;
}

void bias_gradient(OpContext& context, const Convolution& conv, std::size_t use, const Tensor& dy) {
  push_chunks_in_parallel(context, *conv.weights.bias, use, *conv.places,
                          [&](int64_t first, int64_t last, const Tensor& leaf) {
                            kernels::column_sum(in(dy), dy.dim(1), first, last, out(leaf));
                          });
}

Variable conv(OpContext& context, const Variable& x, const ConvShape& shape,
              const ConvWeights& weights, const RowSpace* places, Precision precision) {
  const RowSpace& rows = *x.row_space();
  ensure(x.channels() == shape.in, "a convolution of {} channels was given {}", shape.in,
         x.channels());
  ensure(rows.map.places() > 0 && rows.before_map == 0 &&
             x.rows() == rows.examples() * rows.map.places(),
         "{} rows of {} examples are no maps of {} x {}", x.rows(), rows.examples(),
         rows.map.height, rows.map.width);
  MapSize output = shape.output(rows.map);
  ensure(places->map == output && places->examples() == rows.examples(),
         "{} maps of {} x {} where a convolution gives {} of {} x {}", places->examples(),
         places->map.height, places->map.width, rows.examples(), output.height, output.width);
  ensure_fit(shape, weights);
  if (is_pointwise(shape) && weights.weight == nullptr) {
    return linear(context, x, {.frozen = &weights.frozen->group(0), .bias = weights.bias},
                  precision);
  }
  Convolution run{shape,           weights, geometry_of(shape, rows.map, output),
                  rows.examples(), places,  precision};
  if (narrows(shape, weights) && precision == Precision::kFull)
    return conv_by_places(context, x, run);
  return filters_channels(shape) ? conv_depthwise(context, x, run)
                                 : conv_by_patches(context, x, run);
}

}  // namespace inlay
