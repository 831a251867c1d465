#include "autograd/ops/mixed_rows.h"

#include <utility>

#include "autograd/operands.h"

namespace inlay {

Variable mixed_rows(OpContext& context, const Variable& x, kernels::RowMixture mixture,
                    const RowSpace* rows) {
  int64_t examples = x.row_space()->examples(), inputs = x.rows() / examples;
  Tensor y = context.tape.empty_rows({rows->rows(), x.channels()}, x.dtype());
  kernels::mix_rows({mixture, examples, inputs, x.channels()}, in(x.value()), out(y));
  return context.tape.record(
      std::move(y), rows, x.requires_grad(),
      [slot = x.slot(), mixture = std::move(mixture), examples, inputs](Tape& tape,
                                                                        const Tensor& grad_y) {
        kernels::RowMixture back = mixture.reversed(inputs);
        Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
        kernels::mix_rows({back, examples, mixture.rows(), grad_y.dim(1)}, in(grad_y), out(grad_x));
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
