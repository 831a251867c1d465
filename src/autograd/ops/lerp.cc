#include "autograd/ops/lerp.h"

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

Variable lerp(OpContext& context, const Variable& base, const Variable& adapted, double gate) {
  ensure(base.shape() == adapted.shape(), "a gate between values of shapes {} and {}",
         base.shape().text(), adapted.shape().text());
  Tensor y = context.tape.empty_rows(base.shape(), base.dtype());
  kernels::lerp(in(base.value()), in(adapted.value()), gate, out(y), y.count());
  return context.tape.record(std::move(y), base.row_space(),
                             base.requires_grad() || adapted.requires_grad(),
                             [base_slot = base.slot(), adapted_slot = adapted.slot(), gate](
                                 Tape& tape, const Tensor& grad_y) {
                               auto pass = [&](const Slot& slot, double factor) {
                                 if (slot == nullptr) return;
                                 Tensor grad = tape.empty_rows(slot->shape, slot->dtype);
                                 kernels::scale(in(grad_y), factor, out(grad), grad.count());
                                 tape.accumulate(slot, std::move(grad));
                               };
                               pass(adapted_slot, gate);
                               pass(base_slot, 1.0 - gate);
                             });
}

}  // namespace inlay
