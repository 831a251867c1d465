#include "autograd/tape.h"

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

Variable Tape::make(Tensor value, const RowSpace* rows, bool requires_grad) {
  using State = Variable::State;
  auto state = std::allocate_shared<State>(std::pmr::polymorphic_allocator<State>(arena_));
  if (requires_grad) {
    state->slot =
        std::allocate_shared<GradientSlot>(std::pmr::polymorphic_allocator<GradientSlot>(arena_));
    state->slot->shape = value.shape();
    state->slot->dtype = value.dtype();
  }
  state->value = std::move(value);
  state->row_space = rows;
  return Variable(std::move(state));
}

void Tape::accumulate(const Slot& slot, Tensor grad) {
  if (slot == nullptr) return;
  ensure(grad.shape() == slot->shape && grad.dtype() == slot->dtype,
         "a {} gradient of shape {} reached a {} value of shape {}", dtype_name(grad.dtype()),
         grad.shape().text(), dtype_name(slot->dtype), slot->shape.text());
  if (!slot->grad.defined()) {
    slot->grad = std::move(grad);
    return;
  }
  grad_to_add_into(slot);
  kernels::add_in_place(out(slot->grad), in(grad), grad.count());
}

Tensor Tape::grad_to_add_into(const Slot& slot) {
  if (!slot->grad.defined()) {
    slot->grad = Tensor::zeros(slot->shape, slot->dtype, arena_);
  } else if (!slot->grad.unshared()) {
    slot->grad = slot->grad.clone(arena_);
  }
  return slot->grad;
}

void Tape::backward(const Variable& output, Tensor seed) {
  backward_since(nullptr, output, std::move(seed));
}

void Tape::backward_since(Mark mark, const Variable& output, Tensor seed) {
  ensure(output.requires_grad(), "a backward pass from a value that nothing trainable lies below");
  accumulate(output.slot(), std::move(seed));
  auto destroys = [this](Node* node) { destroy(node); };
  while (last_ != mark) {
    std::unique_ptr<Node, decltype(destroys)> node(last_, destroys);
    last_ = node->previous;
    // Taken out of the slot, so that the gradient dies with its last use.
    Tensor grad = std::exchange(node->output->grad, Tensor());
    if (grad.defined()) node->run(*this, grad);
  }
}

Tensor Tape::value_as(const Variable& variable, DType dtype) {
  if (variable.dtype() == dtype) return variable.value();
  Tensor& narrow = variable.state_->narrow;
  if (!narrow.defined() || narrow.dtype() != dtype) narrow = variable.value().to(dtype, arena_);
  return narrow;
}

void Tape::clear() {
  while (last_ != nullptr) {
    Node* node = last_;
    last_ = node->previous;
    destroy(node);
  }
}

void Tape::destroy(Node* node) {
  std::size_t bytes = node->bytes;
  node->~Node();
  arena_->deallocate(node, bytes, alignof(std::max_align_t));
}

}  // namespace inlay
