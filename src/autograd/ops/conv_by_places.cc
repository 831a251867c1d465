// A convolution to few channels: every place of the input is multiplied with the filters of all
// taps at once, and an output place adds up what its taps find there. Patches, which have each
// input place as often as the filters have taps, are not made.
#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/conv_routes.h"
#include "tensor/kernels/matmul_reference.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

using onednn::Layout;
using onednn::PackedMatrix;

// Of what a place is multiplied with: the channels of y for each tap.
int64_t wide_of(const Convolution& conv) { return conv.geometry.taps() * conv.shape.out; }
int64_t places_in(const Convolution& conv) { return conv.maps * conv.geometry.inputs(); }

void count_product(OpContext& context, const Convolution& conv) {
  context.useful_flops += 2.0 * static_cast<double>(conv.maps * conv.geometry.outputs()) *
                          static_cast<double>(wide_of(conv) * conv.shape.in);
}

// dst(t, j, c) = src(j, c, t), or the way back.
template <class T>
void turn_filters(const Convolution& conv, const T* src, T* dst, bool back) {
  int64_t taps = conv.geometry.taps(), out = conv.shape.out, in = conv.shape.in;
  for (int64_t t = 0; t < taps; ++t) {
    for (int64_t j = 0; j < out; ++j) {
      for (int64_t c = 0; c < in; ++c) {
        int64_t turned = (t * out + j) * in + c, plain = (j * in + c) * taps + t;
        dst[back ? plain : turned] = src[back ? turned : plain];
      }
    }
  }
}

// (taps * out, in)
Tensor place_filters(OpContext& context, const Convolution& conv) {
  const Tensor& weight = conv.weights.weight->value();
  Tensor turned = context.tape.empty({wide_of(conv), conv.shape.in}, weight.dtype());
  if (weight.dtype() == DType::kF64) {
    turn_filters(conv, weight.data<double>(), turned.mutable_data<double>(), false);
  } else {
    turn_filters(conv, weight.data<float>(), turned.mutable_data<float>(), false);
  }
  return turned;
}

// dst = src times the filters (taps * out, in), or for kInOut their transpose.
void multiply(OpContext& context, const Tensor& src, const Tensor& filters, Layout layout,
              const Tensor& dst) {
  if (context.compute == DType::kF64) {
    auto product = layout == Layout::kOutIn ? kernels::matmul_reference_nt<double>
                                            : kernels::matmul_reference_nn<double>;
    return product(src.data<double>(), filters.data<double>(), src.dim(0), dst.dim(1), src.dim(1),
                   dst.mutable_data<double>());
  }
  context.runtime.matmul({.src = src.raw(),
                          .rows = src.dim(0),
                          .spare_rows = std::min(src.spare_rows(), dst.spare_rows()),
                          .dst = dst.mutable_raw(),
                          .dst_dtype = dst.dtype(),
                          .bias = nullptr},
                         PackedMatrix::pack(filters, layout, context.compute));
}

// y(o, j) = sum over taps t of wide(i(o, t), t, j), in the order of taps.
template <class T>
void add_taps(const Convolution& conv, const Tensor& wide, const Tensor& y) {
  int64_t out = conv.shape.out, width = wide_of(conv), outputs = conv.geometry.outputs();
  const T* from = wide.data<T>();
  T* to = y.mutable_data<T>();
  kernels::parallel_ranges(y.dim(0), width, [&](int64_t first, int64_t last) {
    kernels::TapReads reads(conv.geometry, out, width);
    for (int64_t o = first; o < last; ++o) {
      const T* map = from + o / outputs * conv.geometry.inputs() * width;
      T* sum = to + o * out;
      std::fill_n(sum, out, T{0});
      for (const kernels::TapRead& read : reads.of_output(o % outputs)) {
        const T* part = map + read.place + read.tap;
        for (int64_t j = 0; j < out; ++j) sum[j] += part[j];
      }
    }
  });
}

// wide(i, t, j) = dy(o, j) of the output place that reads i with tap t, or 0. Bytes: the same bits.
void spread_taps(const Convolution& conv, const Tensor& dy, const Tensor& wide) {
  std::size_t element = dtype_size(dy.dtype());
  std::size_t part = static_cast<std::size_t>(conv.shape.out) * element;
  std::size_t row = static_cast<std::size_t>(wide_of(conv)) * element;
  int64_t inputs = conv.geometry.inputs(), outputs = conv.geometry.outputs();
  kernels::parallel_ranges(wide.dim(0), wide_of(conv), [&](int64_t first, int64_t last) {
    kernels::TapReads reads(conv.geometry);
    for (int64_t i = first; i < last; ++i) {
      const std::byte* map = dy.raw() + static_cast<std::size_t>(i / inputs * outputs) * part;
      std::byte* to = wide.mutable_raw() + static_cast<std::size_t>(i) * row;
      std::memset(to, 0, row);
      for (const kernels::TapRead& read : reads.of_input(i % inputs))
        std::memcpy(to + static_cast<std::size_t>(read.tap) * part,
                    map + static_cast<std::size_t>(read.place) * part, part);
    }
  });
}

// total (taps * out, in) = wide^T src over the maps of a chunk.
void filter_gradient(OpContext& context, const Tensor& wide, const Tensor& src,
                     const Tensor& total) {
  if (context.compute == DType::kF64) {
    kernels::matmul_reference_tn(wide.data<double>(), src.data<double>(), wide.dim(0), wide.dim(1),
                                 src.dim(1), total.mutable_data<double>());
  } else {
    context.runtime.matmul_transposed(wide.raw(), src.raw(), context.compute, wide.dim(0),
                                      wide.dim(1), src.dim(1), total.mutable_data<float>());
  }
}

void place_filter_gradient(OpContext& context, const Convolution& conv, std::size_t use,
                           const Tensor& wide, const Tensor& src) {
  if (!conv.weights.weight->frozen()) count_product(context, conv);
  int64_t inputs = conv.geometry.inputs(), outputs = conv.geometry.outputs();
  push_chunks_in_turn(
      context, *conv.weights.weight, use, *conv.places,
      [&](int64_t first, int64_t last, const Tensor& leaf) {
        if (first == last) {  // no product of nothing
          std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
          return;
        }
        int64_t begin = first / outputs * inputs, end = last / outputs * inputs;
        Tensor total = context.tape.empty({wide_of(conv), conv.shape.in}, leaf.dtype());
        filter_gradient(context, wide.rows(begin, end), src.rows(begin, end), total);
        if (leaf.dtype() == DType::kF64) {
          turn_filters(conv, total.data<double>(), leaf.mutable_data<double>(), true);
        } else {
          turn_filters(conv, total.data<float>(), leaf.mutable_data<float>(), true);
        }
      });
}

}  // namespace

Variable conv_by_places(OpContext& context, const Variable& x, const Convolution& conv) {
  DType full = context.dtype(Precision::kFull);
  Tensor src = context.tape.value_as(x, context.compute), filters = place_filters(context, conv);
  Tensor y = context.tape.empty_rows({conv.maps * conv.geometry.outputs(), conv.shape.out}, full);
  {
    Tensor wide = context.tape.empty_rows({places_in(conv), wide_of(conv)}, full);
    multiply(context, src, filters, Layout::kOutIn, wide);
    count_product(context, conv);
    full == DType::kF64 ? add_taps<double>(conv, wide, y) : add_taps<float>(conv, wide, y);
  }
  std::size_t use = begin_use(context, conv.weights.weight);
  return context.tape.record(
      std::move(y), conv.places, true,
      [&context, conv, slot = x.slot(), src, filters, use](Tape& tape, const Tensor& grad_y) {
        Tensor dy =
            grad_y.dtype() == context.compute ? grad_y : grad_y.to(context.compute, &context.arena);
        Tensor wide = tape.empty_rows({places_in(conv), wide_of(conv)}, context.compute);
        spread_taps(conv, dy, wide);
        place_filter_gradient(context, conv, use, wide, src);
        if (slot == nullptr) return;
        Tensor dx = tape.empty_rows(slot->shape, slot->dtype);
        multiply(context, wide, filters, Layout::kInOut, dx);
        count_product(context, conv);
        tape.accumulate(slot, std::move(dx));
      });
}

}  // namespace inlay
