#include "autograd/ops/activation.h"

#include "autograd/operands.h"

namespace inlay {

Variable activation(OpContext& context, const Variable& x, Activation kind) {
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::activation_forward(kind, in(x.value()), out(y), y.count());
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad(),
      [slot = x.slot(), kept = x.value(), kind](Tape& tape, const Tensor& grad_y) {
        Tensor grad_x = tape.empty_rows(kept.shape(), kept.dtype());
        kernels::activation_backward(kind, in(kept), in(grad_y), out(grad_x), kept.count());
        tape.accumulate(slot, std::move(grad_x));
      });
}

Activation parse_activation(std::string_view name, std::string_view where) {
  auto kind = kernels::activation_from_name(name);
  require(kind.has_value(), ErrorKind::kInput,
          "{}: activation \"{}\" is unknown; expected one of {}", where, name,
          kernels::activation_names());
  return *kind;
}

}  // namespace inlay
