#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/conv_filters.h"
#include "autograd/ops/conv_routes.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/matmul_reference.h"
#include "tensor/kernels/patches.h"

namespace inlay {
namespace {

using onednn::Layout;

constexpr int64_t kForwardBytes = 8 << 20;    // of patches at a time
constexpr int64_t kBackwardBytes = 16 << 20;  // of patches or of their gradients at a time

int64_t channels_in(const Convolution& conv) { return conv.shape.in / conv.shape.groups; }
int64_t channels_out(const Convolution& conv) { return conv.shape.out / conv.shape.groups; }
int64_t patch_size(const Convolution& conv) { return conv.geometry.taps() * channels_in(conv); }

kernels::Patches patches_of(const Convolution& conv, int64_t group) {
  return {conv.geometry, channels_in(conv), conv.shape.in, group * channels_in(conv)};
}

// A group's channels of so many rows (rows, out), as patches of one tap.
kernels::Patches columns_of(const Convolution& conv, int64_t group, int64_t rows) {
  kernels::PatchGeometry line{
      .input_height = 1, .input_width = rows, .output_height = 1, .output_width = rows};
  return {line, channels_out(conv), conv.shape.out, group * channels_out(conv)};
}

// A product of `rows` patches with a group's filters, in whatever order.
void count_product(OpContext& context, const Convolution& conv, int64_t rows) {
  context.useful_flops += 2.0 * static_cast<double>(rows) * static_cast<double>(patch_size(conv)) *
                          static_cast<double>(channels_out(conv));
}

// The trained weight as (out, patch_size), where there is one.
Tensor trained_filters(OpContext& context, const Convolution& conv) {
  Parameter* weight = conv.weights.weight;
  return weight != nullptr ? patch_filters(conv.shape, weight->value(), &context.arena) : Tensor();
}

// The filters of one group (channels_out, patch_size) as the right-hand side of products:
// y = patches W^T for kOutIn, gradients of patches = dy W for kInOut.
class GroupFilters {
 public:
  GroupFilters(OpContext& context, const Convolution& conv, const Tensor& trained, int64_t group,
               Layout way)
      : context_(context), way_(way) {
    int64_t rows = channels_out(conv);
    Tensor own = trained.defined() ? trained.rows(group * rows, (group + 1) * rows) : Tensor();
    if (context.compute == DType::kF64) {
      exact_ = own.defined() ? own : conv.weights.frozen->group(group).exact();
    } else if (own.defined()) {
      stored_ = onednn::PackedMatrix::over(own, way, context.compute);
    } else {
      const FrozenWeight& frozen = conv.weights.frozen->group(group);
      packed_ = way == Layout::kOutIn ? &frozen.forward(context.compute, context.weights)
                                      : &frozen.backward(context.compute, context.weights);
    }
  }

  // dst = src times the filters, plus a bias of their channels where it is defined. src and dst
  // have so many spare rows.
  void multiply(const Tensor& src, int64_t spare_rows, const Tensor& bias,
                const Tensor& dst) const {
    if (context_.compute == DType::kF64) return multiply_exactly(src, bias, dst);
    context_.runtime.matmul({.src = src.raw(),
                             .rows = src.dim(0),
                             .spare_rows = spare_rows,
                             .dst = dst.mutable_raw(),
                             .dst_dtype = dst.dtype(),
                             .bias = bias.defined() ? bias.data<float>() : nullptr},
                            packed_ != nullptr ? *packed_ : stored_);
  }

 private:
  void multiply_exactly(const Tensor& src, const Tensor& bias, const Tensor& dst) const {
    const auto *from = src.data<double>(), *weight = exact_.data<double>();
    auto* to = dst.mutable_data<double>();
    if (way_ == Layout::kOutIn) {
      kernels::matmul_reference_nt(from, weight, src.dim(0), exact_.dim(0), exact_.dim(1), to);
    } else {
      kernels::matmul_reference_nn(from, weight, src.dim(0), exact_.dim(1), exact_.dim(0), to);
    }
    if (!bias.defined()) return;
    for (int64_t i = 0; i < dst.count(); ++i) to[i] += in(bias).load<double>(i % dst.dim(1));
  }

  OpContext& context_;
  Layout way_;
  Tensor exact_;                                  // in gradient checks, else ...
  onednn::PackedMatrix stored_;                   // ... of a trained weight, or ...
  const onednn::PackedMatrix* packed_ = nullptr;  // ... of a frozen one
};

// Rows whose patches are multiplied at a time, a multiple of the rows of a product.
int64_t rows_at_once(const OpContext& context, const Convolution& conv, int64_t rows) {
  int64_t unit = onednn::kRowUnit, whole = (rows + unit - 1) / unit * unit;
  if (is_pointwise(conv.shape)) return whole;
  auto patch = patch_size(conv) * static_cast<int64_t>(dtype_size(context.compute));
  return std::clamp(kForwardBytes / patch / unit * unit, unit, std::max(whole, unit));
}

// The group's columns of y.
void forward_group(OpContext& context, const Convolution& conv, const GroupFilters& filters,
                   int64_t group, const Tensor& src, const Tensor& y) {
  bool pointwise = is_pointwise(conv.shape), whole = conv.shape.groups == 1;
  int64_t rows = y.dim(0), step = rows_at_once(context, conv, rows), width = channels_out(conv);
  Tensor patches =
      pointwise ? Tensor() : context.tape.empty({step, patch_size(conv)}, context.compute);
  Tensor columns =
      whole ? Tensor() : context.tape.empty({step, width}, context.dtype(Precision::kFull));
  Tensor bias = bias_of(conv.weights);
  if (bias.defined()) bias = bias.rows(group * width, (group + 1) * width);
  for (int64_t first = 0; first < rows; first += step) {
    int64_t last = std::min(first + step, rows), count = last - first;
    if (!pointwise) {
      kernels::gather_patches(patches_of(conv, group), in(src), first, last, out(patches));
    }
    Tensor from = pointwise ? src : patches.rows(0, count);
    // Only the last step has rows to spare.
    int64_t room = pointwise ? src.spare_rows() : step - count;
    if (whole) {
      filters.multiply(from, std::min(room, y.spare_rows()), bias, y.rows(first, last));
    } else {
      filters.multiply(from, room, bias, columns.rows(0, count));
      kernels::scatter_patches(columns_of(conv, group, count), in(columns), 0, 1,
                               out(y.rows(first, last)));
    }
  }
  count_product(context, conv, rows);
}

Tensor forward(OpContext& context, const Convolution& conv, const Tensor& src) {
  Tensor y = context.tape.empty_rows({conv.maps * conv.geometry.outputs(), conv.shape.out},
                                     context.dtype(conv.precision));
  Tensor trained = trained_filters(context, conv);
  for (int64_t group = 0; group < conv.shape.groups; ++group) {
    GroupFilters filters(context, conv, trained, group, Layout::kOutIn);
    forward_group(context, conv, filters, group, src, y);
  }
  return y;
}

// Whole maps whose patches, of elements of so many bytes, are held at a time.
int64_t maps_at_once(const Convolution& conv, std::size_t element) {
  int64_t bytes = conv.geometry.outputs() * patch_size(conv) * static_cast<int64_t>(element);
  return std::max<int64_t>(kBackwardBytes / bytes, 1);
}

// Rows [first, last) of a group's columns of dy, and how many rows behind them can be read.
struct GradRows {
  Tensor rows;
  int64_t spare = 0;
};
GradRows grad_rows(OpContext& context, const Convolution& conv, int64_t group, const Tensor& dy,
                   int64_t first, int64_t last) {
  Tensor rows = dy.rows(first, last);
  if (conv.shape.groups == 1) return {rows, dy.dim(0) - last + dy.spare_rows()};
  Tensor columns = context.tape.empty_rows({last - first, channels_out(conv)}, dy.dtype());
  kernels::gather_patches(columns_of(conv, group, last - first), in(rows), 0, last - first,
                          out(columns));
  return {columns, columns.spare_rows()};
}

// The group's channels of dx: gradients of patches, some maps at a time, added where they are from.
void input_gradient_of_group(OpContext& context, const Convolution& conv,
                             const GroupFilters& filters, int64_t group, const Tensor& dy,
                             const Tensor& dx) {
  DType full = context.dtype(Precision::kFull);
  int64_t outputs = conv.geometry.outputs();
  int64_t step = std::min(maps_at_once(conv, dtype_size(full)), conv.maps);
  Tensor patches = context.tape.empty_rows({step * outputs, patch_size(conv)}, full);
  for (int64_t map = 0; map < conv.maps; map += step) {
    int64_t until = std::min(map + step, conv.maps), count = (until - map) * outputs;
    GradRows grad = grad_rows(context, conv, group, dy, map * outputs, until * outputs);
    int64_t room = patches.dim(0) + patches.spare_rows() - count;
    filters.multiply(grad.rows, std::min(grad.spare, room), Tensor(), patches.rows(0, count));
    kernels::scatter_patches(patches_of(conv, group), in(patches), map, until, out(dx));
  }
}

Tensor input_gradient(OpContext& context, const Convolution& conv, const Tensor& dy, DType dtype) {
  Tensor dx = context.tape.empty_rows({conv.maps * conv.geometry.inputs(), conv.shape.in}, dtype);
  Tensor trained = trained_filters(context, conv);
  for (int64_t group = 0; group < conv.shape.groups; ++group) {
    GroupFilters filters(context, conv, trained, group, Layout::kInOut);
    if (is_pointwise(conv.shape)) {
      filters.multiply(dy, std::min(dy.spare_rows(), dx.spare_rows()), Tensor(), dx);
    } else {
      input_gradient_of_group(context, conv, filters, group, dy, dx);
    }
    count_product(context, conv, dy.dim(0));
  }
  return dx;
}

// dst (channels_out, patch_size) = dy^T patches, over the rows of both.
void transposed_product(OpContext& context, const Tensor& dy, const Tensor& patches,
                        const Tensor& dst) {
  if (context.compute == DType::kF64) {
    kernels::matmul_reference_tn(dy.data<double>(), patches.data<double>(), dy.dim(0), dy.dim(1),
                                 patches.dim(1), dst.mutable_data<double>());
  } else {
    context.runtime.matmul_transposed(dy.raw(), patches.raw(), context.compute, dy.dim(0),
                                      dy.dim(1), patches.dim(1), dst.mutable_data<float>());
  }
}

// total (channels_out, patch_size): the gradient of a group's filters over rows [first, last), one
// chunk. Its maps are taken in parts of a number that nothing but the shape decides, and the parts
// are added in order.
void filter_gradient(OpContext& context, const Convolution& conv, int64_t group, const Tensor& dy,
                     const Tensor& src, int64_t first, int64_t last, const Tensor& total) {
  bool pointwise = is_pointwise(conv.shape);
  int64_t step = conv.geometry.outputs() * maps_at_once(conv, dtype_size(context.compute));
  Tensor patches = pointwise ? Tensor()
                             : context.tape.empty({std::min(step, last - first), patch_size(conv)},
                                                  context.compute);
  Tensor part = last - first > step ? context.tape.empty(total.shape(), total.dtype()) : Tensor();
  for (int64_t row = first; row < last; row += step) {
    int64_t until = std::min(row + step, last);
    if (!pointwise)
      kernels::gather_patches(patches_of(conv, group), in(src), row, until, out(patches));
    const Tensor& dst = row == first ? total : part;
    transposed_product(context, grad_rows(context, conv, group, dy, row, until).rows,
                       pointwise ? src.rows(row, until) : patches.rows(0, until - row), dst);
    if (row != first) kernels::add_in_place(out(total), in(part), total.count());
  }
  count_product(context, conv, last - first);
}

void weight_gradient(OpContext& context, const Convolution& conv, std::size_t use, const Tensor& dy,
                     const Tensor& src) {
  int64_t rows = channels_out(conv), taps = conv.geometry.taps();
  push_chunks_in_turn(context, *conv.weights.weight, use, *conv.places,
                      [&](int64_t first, int64_t last, const Tensor& leaf) {
                        if (first == last) {  // no product of nothing
                          std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
                          return;
                        }
                        Tensor total = context.tape.empty({rows, patch_size(conv)}, leaf.dtype());
                        for (int64_t group = 0; group < conv.shape.groups; ++group) {
                          filter_gradient(context, conv, group, dy, src, first, last, total);
                          transpose_filters(total, {rows, taps, channels_in(conv)},
                                            leaf.rows(group * rows, (group + 1) * rows));
                        }
                      });
}

}  // namespace

Variable conv_by_patches(OpContext& context, const Variable& x, const Convolution& conv) {
  Tensor src = context.tape.value_as(x, context.compute);
  Tensor y = forward(context, conv, src);
  const ConvWeights& weights = conv.weights;
  std::size_t weight_use = begin_use(context, weights.weight);
  std::size_t bias_use = begin_use(context, weights.bias);
  Tensor kept = weights.weight != nullptr ? src : Tensor();
  bool trains = weights.weight != nullptr || weights.bias != nullptr;
  return context.tape.record(
      std::move(y), conv.places, x.requires_grad() || trains,
      [&context, conv, slot = x.slot(), kept, weight_use, bias_use](Tape& tape,
                                                                    const Tensor& grad_y) {
        Tensor dy =
            grad_y.dtype() == context.compute ? grad_y : grad_y.to(context.compute, &context.arena);
        if (slot != nullptr) tape.accumulate(slot, input_gradient(context, conv, dy, slot->dtype));
        if (conv.weights.weight != nullptr) weight_gradient(context, conv, weight_use, dy, kept);
        if (conv.weights.bias != nullptr) bias_gradient(context, conv, bias_use, grad_y);
      });
}

}  // namespace inlay
