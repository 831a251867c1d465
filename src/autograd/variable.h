// A value on the tape: a tensor of rows, the row space it lives in, and, when something trainable
// lies below, the slot that its gradient is summed into. Copying a Variable shares it. Value and
// slot have separate lives: a closure of the tape that only passes a gradient on holds the slot,
// and the value is freed as soon as no forward code needs it.
#pragma once

#include <memory>

#include "autograd/row_space.h"
#include "tensor/tensor.h"

namespace inlay {

struct GradientSlot {
  Shape shape;
  DType dtype;
  Tensor grad;  // undefined until the first gradient arrives
};
using Slot = std::shared_ptr<GradientSlot>;  // null: no gradient is wanted

class Variable {
 public:
  Variable() = default;  // undefined

  bool defined() const { return state_ != nullptr; }
  const Tensor& value() const { return state_->value; }
  const Shape& shape() const { return state_->value.shape(); }
  DType dtype() const { return state_->value.dtype(); }
  int64_t rows() const { return state_->value.dim(0); }
  int64_t channels() const { return state_->value.dim(1); }
  const RowSpace* row_space() const { return state_->row_space; }
  bool requires_grad() const { return state_->slot != nullptr; }
  const Slot& slot() const { return state_->slot; }
  const Tensor& grad() const { return state_->slot->grad; }

  bool same_as(const Variable& other) const { return state_ == other.state_; }

  // True when this handle is the only user of the value, so that an op that consumes it may write
  // into it.
  bool unshared() const { return state_.use_count() == 1 && state_->value.unshared(); }

 private:
  friend class Tape;
  struct State {
    Tensor value;
    Tensor narrow;  // the value in a narrower type, made once for all the products that read it
    const RowSpace* row_space = nullptr;
    Slot slot;
  };
  explicit Variable(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

}  // namespace inlay
