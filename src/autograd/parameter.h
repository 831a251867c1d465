// A trainable tensor: float32 values (float64 in gradient checks), its gradient, and the packed
// forms that products use.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradient_tree.h"
#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"
#include "tensor/tensor.h"

namespace inlay {

class DerivedParameter;

class Parameter {
 public:
  Parameter() = default;
  Parameter(std::string name, Tensor value) : name_(std::move(name)), value_(std::move(value)) {}

  const std::string& name() const { return name_; }
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }

  // New values of the same shape; packed forms follow.
  void set_value(Tensor value);
  // The same values in another precision, for gradient checks.
  void convert(DType dtype) { replace(value_.to(dtype)); }
  // From now on no gradient of it is made: it is used, but not trained.
  void freeze() { frozen_ = true; }
  bool frozen() const { return frozen_; }
  // The optimizer writes through this and calls changed() afterwards.
  Tensor& mutable_value() { return value_; }
  void changed() { ++version_; }
  // Another number whenever the values changed, from 1.
  uint64_t version() const { return version_; }

  // Each use of the parameter in one forward pass sums into a tree of its own, so shared parameters
  // are summed in a fixed order whatever the micro-batches. `forward` numbers the forward passes of
  // a context, from 1; `memory` is what the partial gradients are allocated from. Ops call
  // begin_use of chunk_gradients.h.
  std::size_t begin_use(uint64_t forward, const std::shared_ptr<Arena>& memory);
  GradientTree& tree(std::size_t use) { return trees_[use]; }
  // The gradient over everything pushed since the last call: the trees' totals added in order of
  // use, then what was added directly or reached it through derived parameters. Undefined when no
  // use reached the loss. The result must not outlive the context.
  Tensor take_gradient();
  // A gradient that no op of a forward pass makes: of a regulariser, of a derived parameter.
  void add_gradient(Tensor grad);

  // This matrix for y = x W^T (forward) or dx = dy W (backward): packed, and repacked after
  // changed(), or as it is.
  const onednn::PackedMatrix& forward(DType compute, onednn::Reading reading) {
    return matrix(forward_, onednn::Layout::kOutIn, {compute, reading});
  }
  const onednn::PackedMatrix& backward(DType compute, onednn::Reading reading) {
    return matrix(backward_, onednn::Layout::kInOut, {compute, reading});
  }

 private:
  friend class DerivedParameter;
  // A value of any shape and type; packed forms are made anew where those differ.
  void replace(Tensor value);

  struct Matrix {
    onednn::PackedMatrix matrix;
    uint64_t version = 0;
    const std::byte* numbers = nullptr;  // that the matrix was made of
  };
  using Way = std::pair<DType, onednn::Reading>;
  using Matrices = std::map<Way, Matrix>;
  const onednn::PackedMatrix& matrix(Matrices& cache, onednn::Layout layout, Way way);

  std::string name_;
  Tensor value_;
  uint64_t version_ = 1;
  uint64_t last_forward_ = 0;
  std::size_t uses_ = 0;
  std::shared_ptr<Arena> memory_;   // holds what is in the trees; declared before them
  std::deque<GradientTree> trees_;  // stable addresses: closures refer to them by index
  Matrices forward_, backward_;
  std::vector<DerivedParameter*> feeds_;  // what is made from this
  DerivedParameter* made_by_ = nullptr;
  Tensor direct_;  // from add_gradient()
  bool frozen_ = false;
};

}  // namespace inlay
