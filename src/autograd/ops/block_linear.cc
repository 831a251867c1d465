#include "autograd/ops/block_linear.h"

#include <algorithm>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

constexpr int64_t kRowsPerTask = 64;

// Rows [first, last) of y = x R, or of y = x R^T, block by block.
template <class T>
void multiply_rows(const Tensor& x, const Tensor& blocks, bool transposed, int64_t first,
                   int64_t last, Tensor& y) {
  int64_t size = blocks.dim(1);
  auto src = const_matrix<T>(x).middleRows(first, last - first);
  auto dst = matrix<T>(y).middleRows(first, last - first);
  for (int64_t begin = 0; begin < x.dim(1); begin += size) {
    auto block = const_matrix<T>(blocks).middleRows(begin, size);
    auto part = src.middleCols(begin, size);
    if (transposed) {
      dst.middleCols(begin, size).noalias() = part * block.transpose();
    } else {
      dst.middleCols(begin, size).noalias() = part * block;
    }
  }
}

// Pieces of rows are the same for any number of threads, and a row's sums do not depend on them.
Tensor multiply(OpContext& context, const Tensor& x, const Tensor& blocks, bool transposed) {
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  int64_t tasks = (x.dim(0) + kRowsPerTask - 1) / kRowsPerTask;
#pragma omp parallel for schedule(static)
  for (int64_t task = 0; task < tasks; ++task) {
    int64_t first = task * kRowsPerTask, last = std::min(x.dim(0), first + kRowsPerTask);
    with_real(x.dtype(), [&](auto zero) {
      multiply_rows<decltype(zero)>(x, blocks, transposed, first, last, y);
    });
  }
  return y;
}

template <class T>
void block_gradients(const Tensor& x, const Tensor& dy, int64_t first, int64_t last, Tensor leaf) {
  int64_t size = leaf.dim(1), count = last - first;
  auto read = const_matrix<T>(x).middleRows(first, count);
  auto seed = const_matrix<T>(dy).middleRows(first, count);
  for (int64_t begin = 0; begin < x.dim(1); begin += size) {
    matrix<T>(leaf).middleRows(begin, size).noalias() =
        read.middleCols(begin, size).transpose() * seed.middleCols(begin, size);
  }
}

}  // namespace

Variable block_linear(OpContext& context, const Variable& x, Parameter& blocks) {
  ensure(blocks.shape().rank() == 2 && blocks.shape()[0] == x.channels() &&
             x.channels() % blocks.shape()[1] == 0,
         "blocks {} for {} channels", blocks.shape().text(), x.channels());
  DType type = context.dtype(Precision::kFull), x_type = x.dtype();
  Tensor read = x_type == type ? x.value() : x.value().to(type, &context.arena);
  Tensor y = multiply(context, read, blocks.value(), false);
  std::size_t use = begin_use(context, &blocks);
  return context.tape.record(
      std::move(y), x.row_space(), true,
      [&context, &blocks, use, read, x_type, type, rows = x.row_space(), slot = x.slot()](
          Tape& tape, const Tensor& grad_y) {
        Tensor dy = grad_y.dtype() == type ? grad_y : grad_y.to(type, &context.arena);
        push_chunks_in_parallel(context, blocks, use, *rows,
                                [&](int64_t first, int64_t last, const Tensor& leaf) {
                                  with_real(type, [&](auto zero) {
                                    block_gradients<decltype(zero)>(read, dy, first, last, leaf);
                                  });
                                });
        if (slot == nullptr) return;
        Tensor dx = multiply(context, dy, blocks.value(), true);
        tape.accumulate(slot, x_type == type ? std::move(dx) : dx.to(x_type, &context.arena));
      });
}

}  // namespace inlay
