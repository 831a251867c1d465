#include "autograd/ops/divide_by_lengths.h"

#include <algorithm>
#include <cmath>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/normalise_rows.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

// Of the rows, F64.
Tensor lengths_of(OpContext& context, const Tensor& weight) {
  Tensor lengths = context.tape.empty({weight.dim(0)}, DType::kF64);
  int64_t channels = weight.dim(1);
  kernels::parallel_ranges(weight.dim(0), channels, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      double square = 0;
      for (int64_t i = row * channels; i < (row + 1) * channels; ++i)
        square += in(weight).load<double>(i) * in(weight).load<double>(i);
      out(lengths).store(row, std::max(kLeastLength, std::sqrt(square)));
    }
  });
  return lengths;
}

// dst = src / lengths, column by column.
void divide_columns(const Tensor& src, const Tensor& lengths, const Tensor& dst) {
  int64_t count = src.dim(1);
  kernels::parallel_ranges(src.dim(0), count, [&](int64_t first, int64_t last) {
    for (int64_t i = first * count; i < last * count; ++i)
      out(dst).store(i, in(src).load<double>(i) / in(lengths).load<double>(i % count));
  });
}

// dw_c = -(sum over rows of dy_c y_c) w_c / |w_c|^2; at the least length the divisor is a constant.
void weight_gradient(const Tensor& weight, const Tensor& lengths, const Tensor& y,
                     const Tensor& grad_y, const Tensor& grad_weight) {
  int64_t count = weight.dim(0), channels = weight.dim(1);
  for (int64_t c = 0; c < count; ++c) {
    double sum = 0;
    for (int64_t i = c; i < y.count(); i += count)
      sum += in(grad_y).load<double>(i) * in(y).load<double>(i);
    auto length = in(lengths).load<double>(c);
    double factor = length > kLeastLength ? -sum / (length * length) : 0.0;
    for (int64_t i = c * channels; i < (c + 1) * channels; ++i)
      out(grad_weight).store(i, factor * in(weight).load<double>(i));
  }
}

}  // namespace

Variable divide_by_lengths(OpContext& context, const Variable& x, Parameter& weight) {
  ensure(x.channels() == weight.shape()[0], "{} products with {} rows", x.channels(),
         weight.shape()[0]);
  Tensor lengths = lengths_of(context, weight.value());
  Tensor y = context.tape.empty_rows(x.shape(), context.dtype(Precision::kFull));
  divide_columns(x.value(), lengths, y);
  std::size_t use = begin_use(context, &weight);
  return context.tape.record(y, x.row_space(), true,
                             [&context, &weight, use, slot = x.slot(), rows = x.row_space(),
                              lengths, y](Tape& tape, const Tensor& grad_y) {
                               push_chunks_in_parallel(
                                   context, weight, use, *rows,
                                   [&](int64_t first, int64_t last, const Tensor& leaf) {
                                     weight_gradient(weight.value(), lengths, y.rows(first, last),
                                                     grad_y.rows(first, last), leaf);
                                   });
                               if (slot == nullptr) return;
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               divide_columns(grad_y, lengths, grad_x);
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
