#include "autograd/parameter.h"

#include <algorithm>
#include <utility>

#include "autograd/derived_parameter.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

void Parameter::set_value(Tensor value) {
  ensure(value.shape() == value_.shape() && value.dtype() == value_.dtype(),
         "parameter {} is {} of shape {}, not {}", name_, dtype_name(value_.dtype()),
         value_.shape().text(), value.shape().text());
  value_ = std::move(value);
  changed();
}

void Parameter::replace(Tensor value) {
  bool same =
      value_.defined() && value.shape() == value_.shape() && value.dtype() == value_.dtype();
  value_ = std::move(value);
  if (!same) {
    forward_.clear();
    backward_.clear();
  }
  changed();
}

void Parameter::add_gradient(Tensor grad) {
  ensure(grad.shape() == value_.shape(), "a gradient of shape {} for {} of shape {}",
         grad.shape().text(), name_, value_.shape().text());
  if (direct_.defined()) {
    kernels::add_in_place(out(direct_), in(grad), grad.count());
  } else {
    direct_ = std::move(grad);
  }
}

std::size_t Parameter::begin_use(uint64_t forward, const std::shared_ptr<Arena>& memory) {
  ensure(forward != 0, "parameter {} is used before the first forward pass began", name_);
  bool empty = std::all_of(trees_.begin(), trees_.end(),
                           [](const GradientTree& tree) { return tree.empty(); });
  ensure(empty || memory == memory_,
         "parameter {} holds a gradient of another context; take it first", name_);
  memory_ = memory;
  if (forward != last_forward_) {
    last_forward_ = forward;
    uses_ = 0;
  }
  if (uses_ == trees_.size()) trees_.emplace_back();
  return uses_++;
}

Tensor Parameter::take_gradient() {
  for (DerivedParameter* derived : feeds_) derived->pull();
  last_forward_ = 0;
  uses_ = 0;
  Tensor total;
  for (GradientTree& tree : trees_) {
    if (tree.empty()) continue;
    Tensor part = tree.take_total();
    if (total.defined()) {
      kernels::add_in_place(out(total), in(part), part.count());
    } else {
      total = std::move(part);
    }
  }
  if (!direct_.defined()) return total;
  if (!total.defined()) return std::exchange(direct_, Tensor());
  kernels::add_in_place(out(total), in(direct_), total.count());
  direct_ = Tensor();
  return total;
}

const onednn::PackedMatrix& Parameter::matrix(Matrices& cache, onednn::Layout layout, Way way) {
  auto [compute, reading] = way;
  Matrix& entry = cache[way];
  if (reading == onednn::Reading::kStored) {
    // Values that changed where they are need nothing new.
    if (entry.numbers != value_.raw())
      entry.matrix = onednn::PackedMatrix::over(value_, layout, compute);
  } else if (!entry.matrix.defined()) {
    entry.matrix = onednn::PackedMatrix::pack(value_, layout, compute);
  } else if (entry.version != version_) {
    entry.matrix.repack(value_);
  }
  entry.version = version_;
  entry.numbers = value_.raw();
  return entry.matrix;
}

}  // namespace inlay
