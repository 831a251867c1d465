#include "autograd/ops/scale_channels.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/column_sum.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

Variable scale_channels(OpContext& context, const Variable& x, Parameter& factors) {
  ensure(factors.value().count() == x.channels(), "{} factors for {} channels",
         factors.value().count(), x.channels());
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::scale_columns(in(x.value()), in(factors.value()), out(y), x.rows(), x.channels());
  std::size_t use = begin_use(context, &factors);
  return context.tape.record(
      std::move(y), x.row_space(), true,
      [&context, &factors, use, slot = x.slot(), rows = x.row_space(), kept = x.value()](
          Tape& tape, const Tensor& grad_y) {
        int64_t channels = grad_y.dim(1);
        push_chunks_in_parallel(
            context, factors, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              kernels::column_dot(in(grad_y), in(kept), channels, first, last, out(leaf));
            });
        if (slot == nullptr) return;
        Tensor grad_x = tape.empty_rows(grad_y.shape(), grad_y.dtype());
        kernels::scale_columns(in(grad_y), in(factors.value()), out(grad_x), grad_y.dim(0),
                               channels);
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
