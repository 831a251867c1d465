#include "autograd/ops/pooling.h"

#include "autograd/operands.h"

namespace inlay {

Variable pooling(OpContext& context, const Variable& x, Pooling kind, const RowSpace* examples) {
  const std::vector<int64_t>& offsets = x.row_space()->example_offsets;
  ensure(examples->rows() == x.row_space()->examples() && offsets.back() == x.rows(),
         "pooling of {} rows of {} examples into {}", x.rows(), x.row_space()->examples(),
         examples->rows());
  kernels::RaggedRows ragged{
      .rows = x.row_space()->examples(), .channels = x.channels(), .offsets = offsets.data()};
  Tensor y = context.tape.empty_rows({ragged.rows, ragged.channels}, x.dtype());
  kernels::pooling_forward(kind, ragged, in(x.value()), out(y));
  return context.tape.record(std::move(y), examples, x.requires_grad(),
                             [slot = x.slot(), ragged, kind](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               kernels::pooling_backward(kind, ragged, in(grad_y), out(grad_x));
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
