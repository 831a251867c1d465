#include "autograd/ops/bias.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/column_sum.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

Variable add_bias(OpContext& context, const Variable& y, Parameter& bias, double factor) {
  ensure(bias.value().count() == y.channels(), "a bias of shape {} for {} channels",
         bias.shape().text(), y.channels());
  Tensor scaled = bias.value().clone();
  kernels::scale(in(scaled), factor, out(scaled), scaled.count());
  Tensor z = context.tape.empty_rows(y.shape(), y.dtype());
  kernels::add_bias(in(y.value()), in(scaled), out(z), y.rows(), y.channels());
  std::size_t use = begin_use(context, &bias);
  return context.tape.record(
      std::move(z), y.row_space(), true,
      [&context, &bias, use, factor, slot = y.slot(), rows = y.row_space()](Tape& tape,
                                                                            const Tensor& grad) {
        push_chunks_in_parallel(
            context, bias, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              kernels::column_sum(in(grad), grad.dim(1), first, last, out(leaf));
              kernels::scale(in(leaf), factor, out(leaf), leaf.count());
            });
        tape.accumulate(slot, grad);
      });
}

}  // namespace inlay
