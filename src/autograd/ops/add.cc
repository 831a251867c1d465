#include "autograd/ops/add.h"

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

Variable add_scaled(OpContext& context, const Variable& a, const Variable& b, double factor) {
  ensure(a.shape() == b.shape(), "values of shapes {} and {} are added", a.shape().text(),
         b.shape().text());
  Tensor y;
  if (factor == 1.0) {
    y = context.tape.empty_rows(a.shape(), a.dtype());
    kernels::add(in(a.value()), in(b.value()), out(y), y.count());
  } else {
    y = a.value().clone(&context.arena);
    kernels::axpy(factor, in(b.value()), out(y), y.count());
  }
  return context.tape.record(
      std::move(y), a.row_space(), a.requires_grad() || b.requires_grad(),
      [a_slot = a.slot(), b_slot = b.slot(), factor](Tape& tape, const Tensor& grad_y) {
        if (b_slot != nullptr && factor == 1.0 && b_slot->dtype == grad_y.dtype()) {
          tape.accumulate(b_slot, grad_y);
        } else if (b_slot != nullptr) {
          Tensor grad_b = tape.empty_rows(b_slot->shape, b_slot->dtype);
          kernels::scale(in(grad_y), factor, out(grad_b), grad_b.count());
          tape.accumulate(b_slot, std::move(grad_b));
        }
        tape.accumulate(a_slot, grad_y);
      });
}

Variable add(OpContext& context, const Variable& a, const Variable& b) {
  return add_scaled(context, a, b, 1.0);
}

}  // namespace inlay
