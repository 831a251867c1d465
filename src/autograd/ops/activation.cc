#include "autograd/ops/activation.h"

#include "autograd/operands.h"

namespace inlay {
namespace {

Variable activation_as(OpContext& context, const Variable& x, Activation kind, DType dtype) {
  Tensor y = context.tape.empty_rows(x.shape(), dtype);
  kernels::activation_forward(kind, in(x.value()), out(y), y.count());
  // Zero to zero, and what lies above it to above it: y has the derivative of x.
  bool by_result = kind == Activation::kRelu || kind == Activation::kRelu6;
  Tensor kept = by_result ? y : x.value();
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [slot = x.slot(), kept, kind](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               kernels::activation_backward(kind, in(kept), in(grad_y), out(grad_x),
                                                            kept.count());
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace

Variable activation(OpContext& context, const Variable& x, Activation kind) {
  return activation_as(context, x, kind, x.dtype());
}

Variable activation(OpContext& context, const Variable& x, Activation kind, Precision precision) {
  return activation_as(context, x, kind, context.dtype(precision));
}

Activation parse_activation(std::string_view name, std::string_view where) {
  auto kind = kernels::activation_from_name(name);
  require(kind.has_value(), ErrorKind::kInput,
          "{}: activation \"{}\" is unknown; expected one of {}", where, name,
          kernels::activation_names());
  return *kind;
}

}  // namespace inlay
