// The record of a forward pass, walked backwards once. An op computes its result, then records a
// closure that turns the gradient of the result into gradients of its inputs:
//
//   Variable relu(Tape& tape, const Variable& x) {
//     Tensor y = ...;
//     return tape.record(y, x.row_space(), x.requires_grad(), [slot = x.slot(), y](Tape& tape,
//     const Tensor& grad_y) {
//       tape.accumulate(slot, ...);
//     });
//   }
//
// Gradients have the shape and dtype of their values. Nothing is recorded when no input requires a
// gradient. Nodes, handles and tensors live in the arena; each node is destroyed right after it has
// run, which frees what it kept.
#pragma once

#include <memory>
#include <utility>

#include "autograd/variable.h"
#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"

namespace inlay {

class Tape {
 public:
  explicit Tape(Arena* arena) : arena_(arena) {}
  ~Tape() { clear(); }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  Arena* arena() const { return arena_; }
  Tensor empty(const Shape& shape, DType dtype) const {
    return Tensor::empty(shape, dtype, arena_);
  }
  // For a value of (rows, channels) that a product may read or write: with room for the rows that
  // the product rounds up to.
  Tensor empty_rows(const Shape& shape, DType dtype) const {
    return Tensor::empty_rows(shape, dtype, onednn::kRowUnit, arena_);
  }

  // A value that nothing below can train.
  Variable constant(Tensor value, const RowSpace* rows) {
    return make(std::move(value), rows, false);
  }
  // A value whose gradient is wanted for itself (gradient checks, explanations).
  Variable input(Tensor value, const RowSpace* rows) { return make(std::move(value), rows, true); }

  template <class Backward>
  Variable record(Tensor value, const RowSpace* rows, bool requires_grad, Backward backward) {
    Variable output = make(std::move(value), rows, requires_grad && recording_);
    if (output.requires_grad()) append<Backward>(output.slot(), std::move(backward));
    return output;
  }

  // Adds to a gradient; nothing happens for a null slot. The tensor may be shared with other slots:
  // it is added into only when nobody else holds it.
  void accumulate(const Slot& slot, Tensor grad);

  // The gradient as a tensor that may be added into: zeros when none arrived yet, a copy when it is
  // shared.
  Tensor grad_to_add_into(const Slot& slot);

  // Walks the tape from the last node to the first, starting from d loss / d output = `seed`, and
  // leaves it empty.
  void backward(const Variable& output, Tensor seed);

  // The same for what was recorded since `mark`, leaving what was recorded before: for an op whose
  // backward pass records.
  using Mark = const void*;
  Mark mark() const { return last_; }
  void backward_since(Mark mark, const Variable& output, Tensor seed);

  // The value as `dtype`, converted at most once per variable.
  Tensor value_as(const Variable& variable, DType dtype);
  // For ops that make the narrow copy in the same pass.
  void set_narrow(const Variable& variable, Tensor narrow) {
    variable.state_->narrow = std::move(narrow);
  }

  void clear();
  bool empty() const { return last_ == nullptr; }
  // Off: values only, nothing is kept. On by default.
  void set_recording(bool on) { recording_ = on; }
  bool recording() const { return recording_; }

 private:
  struct Node {
    Node* previous = nullptr;
    std::size_t bytes = 0;
    Slot output;
    virtual ~Node() = default;
    virtual void run(Tape& tape, const Tensor& grad) = 0;
  };
  template <class Backward>
  struct NodeOf final : Node {
    Backward function;
    explicit NodeOf(Backward f) : function(std::move(f)) {}
    void run(Tape& tape, const Tensor& grad) override { function(tape, grad); }
  };

  template <class Backward>
  void append(const Slot& output, Backward backward) {
    using Concrete = NodeOf<Backward>;
    auto* node =
        new (arena_->allocate(sizeof(Concrete), alignof(Concrete))) Concrete(std::move(backward));
    node->bytes = sizeof(Concrete);
    node->previous = last_;
    node->output = output;
    last_ = node;
  }

  Variable make(Tensor value, const RowSpace* rows, bool requires_grad);
  void destroy(Node* node);

  Arena* arena_;
  Node* last_ = nullptr;
  bool recording_ = true;
};

}  // namespace inlay
