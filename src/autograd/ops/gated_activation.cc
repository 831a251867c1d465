#include "autograd/ops/gated_activation.h"

#include "autograd/operands.h"
#include "tensor/kernels/gated_activation.h"

namespace inlay {

Variable gated_activation(OpContext& context, const Variable& gate, const Variable& up,
                          kernels::Activation kind) {
  ensure(gate.shape() == up.shape() && gate.dtype() == up.dtype(), "a gate of shape {} for {}",
         gate.shape().text(), up.shape().text());
  Tensor y = context.tape.empty_rows(gate.shape(), gate.dtype());
  kernels::gated_activation_forward(kind, in(gate.value()), in(up.value()), out(y), y.count());
  return context.tape.record(
      std::move(y), gate.row_space(), gate.requires_grad() || up.requires_grad(),
      [kind, gate_slot = gate.slot(), up_slot = up.slot(), gate_value = gate.value(),
       up_value = up.value()](Tape& tape, const Tensor& grad) {
        auto grad_of = [&](const Slot& slot) {
          return slot != nullptr ? tape.empty_rows(slot->shape, slot->dtype) : Tensor();
        };
        Tensor grad_gate = grad_of(gate_slot), grad_up = grad_of(up_slot);
        kernels::gated_activation_backward(
            kind, {in(gate_value), in(up_value), in(grad), out(grad_gate), out(grad_up)},
            grad.count());
        tape.accumulate(gate_slot, std::move(grad_gate));
        tape.accumulate(up_slot, std::move(grad_up));
      });
}

}  // namespace inlay
