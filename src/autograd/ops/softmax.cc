#include "autograd/ops/softmax.h"

#include "autograd/operands.h"
#include "tensor/kernels/softmax.h"

namespace inlay {

Variable softmax(OpContext& context, const Variable& x) {
  Tensor y = context.tape.empty(x.shape(), x.dtype());
  kernels::softmax_forward(in(x.value()), out(y), x.rows(), x.channels());
  return context.tape.record(
      y, x.row_space(), x.requires_grad(), [slot = x.slot(), y](Tape& tape, const Tensor& grad_y) {
        Tensor grad_x = tape.empty(y.shape(), y.dtype());
        kernels::softmax_backward(in(y), in(grad_y), out(grad_x), y.dim(0), y.dim(1));
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
