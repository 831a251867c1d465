#include "autograd/ops/kronecker.h"

#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/block_product.h"

namespace inlay {
namespace {

struct Sizes {
  int64_t rows, l, m, k, n;
};

void count_products(OpContext& context, const Sizes& s) {
  context.useful_flops +=
      2.0 * static_cast<double>(s.rows * s.m * s.k) * static_cast<double>(s.n + s.l);
}

Tensor transposed(OpContext& context, const Tensor& matrix) {
  Tensor result = context.tape.empty({matrix.dim(1), matrix.dim(0)}, matrix.dtype());
  kernels::transposed_blocks(in(matrix), 1, matrix.dim(0), matrix.dim(1), out(result));
  return result;
}

// Every row's matrices times one small matrix: x (rows, parts a) and w (a, b) give (rows, parts b).
Tensor from_the_right(OpContext& context, const Tensor& x, int64_t parts, const Tensor& w,
                      DType dtype) {
  Tensor y = context.tape.empty_rows({x.dim(0), parts * w.dim(1)}, dtype);
  kernels::block_product({in(x), in(w), x.dim(0) * parts, 1, w.dim(0), w.dim(1)}, out(y));
  return y;
}

Tensor from_the_left(OpContext& context, const Tensor& w, const Tensor& z, int64_t width) {
  Tensor y = context.tape.empty_rows({z.dim(0), w.dim(0) * width}, w.dtype());
  kernels::left_product({in(w), in(z), z.dim(0), w.dim(0), w.dim(1), width}, out(y));
  return y;
}

}  // namespace

Variable kronecker(OpContext& context, const Variable& x, Parameter& w1, Parameter& w2) {
  Sizes s{x.rows(), w1.shape()[0], w1.shape()[1], w2.shape()[0], w2.shape()[1]};
  ensure(s.m * s.n == x.channels(), "a Kronecker product of {} and {} for {} channels",
         w1.shape().text(), w2.shape().text(), x.channels());
  count_products(context, s);
  DType full = context.dtype(Precision::kFull);
  Tensor read = x.value();
  Tensor z = from_the_right(context, read, s.m, transposed(context, w2.value()), full);
  Tensor y = from_the_left(context, w1.value(), z, s.k);
  std::size_t use1 = begin_use(context, &w1), use2 = begin_use(context, &w2);
  return context.tape.record(
      std::move(y), x.row_space(), true,
      [&context, &w1, &w2, use1, use2, s, read, z, full, rows = x.row_space(), slot = x.slot()](
          Tape& tape, const Tensor& dy) {
        count_products(context, s);
        Tensor scratch = full == DType::kF32 ? tape.empty(z.shape(), full) : Tensor();
        push_chunks_in_parallel(context, w1, use1, *rows,
                                [&](int64_t first, int64_t last, const Tensor& leaf) {
                                  std::span<float> part;
                                  if (scratch.defined())
                                    part = {scratch.mutable_data<float>() + first * z.dim(1),
                                            static_cast<std::size_t>((last - first) * z.dim(1))};
                                  kernels::left_product_grad(
                                      {in(z), in(dy), s.l, s.m, s.k, first, last}, part, out(leaf));
                                });
        Tensor dz = from_the_left(context, transposed(context, w1.value()), dy, s.k);
        push_chunks_in_parallel(
            context, w2, use2, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              kernels::block_product_grad({in(dz), in(read), 1, s.k, s.n, first * s.m, last * s.m},
                                          out(leaf));
            });
        if (slot == nullptr) return;
        count_products(context, s);
        tape.accumulate(slot, from_the_right(context, dz, s.m, w2.value(), read.dtype()));
      });
}

}  // namespace inlay
