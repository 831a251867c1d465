#include "autograd/ops/normalise_rows.h"

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

double dot(kernels::Input a, kernels::Input b, int64_t first, int64_t count) {
  double sum = 0;
  for (int64_t i = first; i < first + count; ++i) sum += a.load<double>(i) * b.load<double>(i);
  return sum;
}

// y = x / |x|, and the lengths of the rows of x.
void forward(const Tensor& x, const Tensor& y, const Tensor& lengths) {
  int64_t channels = x.dim(1);
  kernels::parallel_ranges(x.dim(0), channels, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      int64_t begin = row * channels;
      double length = std::max(kLeastLength, std::sqrt(dot(in(x), in(x), begin, channels)));
      out(lengths).store(row, length);
      for (int64_t i = begin; i < begin + channels; ++i)
        out(y).store(i, in(x).load<double>(i) / length);
    }
  });
}

// dx = (dy - y (y·dy)) / |x|; at the least length the divisor is a constant.
void backward(const Tensor& y, const Tensor& lengths, const Tensor& grad_y, const Tensor& grad_x) {
  int64_t channels = y.dim(1);
  kernels::parallel_ranges(y.dim(0), channels, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      int64_t begin = row * channels;
      auto length = in(lengths).load<double>(row);
      double along = length > kLeastLength ? dot(in(y), in(grad_y), begin, channels) : 0.0;
      for (int64_t i = begin; i < begin + channels; ++i) {
        double across = in(grad_y).load<double>(i) - along * in(y).load<double>(i);
        out(grad_x).store(i, across / length);
      }
    }
  });
}

}  // namespace

Variable normalise_rows(OpContext& context, const Variable& x) {
  Tensor y = context.tape.empty_rows(x.shape(), context.dtype(Precision::kFull));
  Tensor lengths = context.tape.empty({x.rows()}, DType::kF64);
  forward(x.value(), y, lengths);
  return context.tape.record(y, x.row_space(), x.requires_grad(),
                             [slot = x.slot(), y, lengths](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               backward(y, lengths, grad_y, grad_x);
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
