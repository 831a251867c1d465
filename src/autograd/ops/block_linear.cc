#include "autograd/ops/block_linear.h"

#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/block_product.h"

namespace inlay {
namespace {

Tensor multiply(OpContext& context, const Tensor& x, const Tensor& blocks, DType dtype) {
  Tensor y = context.tape.empty_rows(x.shape(), dtype);
  context.useful_flops += 2.0 * static_cast<double>(x.count()) * static_cast<double>(blocks.dim(1));
  int64_t size = blocks.dim(1);
  kernels::block_product({in(x), in(blocks), x.dim(0), x.dim(1) / size, size, size}, out(y));
  return y;
}

}  // namespace

Variable block_linear(OpContext& context, const Variable& x, Parameter& blocks) {
  ensure(blocks.shape().rank() == 2 && blocks.shape()[0] == x.channels() &&
             x.channels() % blocks.shape()[1] == 0,
         "blocks {} for {} channels", blocks.shape().text(), x.channels());
  Tensor read = x.value();
  Tensor y = multiply(context, read, blocks.value(), context.dtype(Precision::kFull));
  std::size_t use = begin_use(context, &blocks);
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad() || !blocks.frozen(),
      [&context, &blocks, use, read, rows = x.row_space(), slot = x.slot()](Tape& tape,
                                                                            const Tensor& dy) {
        int64_t size = blocks.shape()[1], count = dy.dim(1) / size;
        context.useful_flops += 2.0 * static_cast<double>(dy.count()) * static_cast<double>(size);
        push_chunks_in_parallel(
            context, blocks, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              kernels::block_product_grad({in(read), in(dy), count, size, size, first, last},
                                          out(leaf));
            });
        if (slot == nullptr) return;
        Tensor turned = tape.empty(blocks.shape(), blocks.value().dtype());
        kernels::transposed_blocks(in(blocks.value()), count, size, size, out(turned));
        tape.accumulate(slot, multiply(context, dy, turned, read.dtype()));
      });
}

}  // namespace inlay
