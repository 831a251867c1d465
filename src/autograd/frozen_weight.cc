#include "autograd/frozen_weight.h"

#include <utility>

#include "tensor/transposed.h"

namespace inlay {

using onednn::Layout;

FrozenWeight::FrozenWeight(Tensor weight, Tensor bias, Layout layout,
                           std::function<void()> after_packing)
    : weight_(std::move(weight)),
      layout_(layout),
      in_(weight_.dim(layout == Layout::kOutIn ? 1 : 0)),
      out_(weight_.dim(layout == Layout::kOutIn ? 0 : 1)),
      after_packing_(std::move(after_packing)) {
  if (bias.defined()) bias_ = bias.to(DType::kF32);
}

FrozenWeight::FrozenWeight(QuantisedMatrix weight, const Tensor& bias)
    : quantised_(std::move(weight)),
      layout_(Layout::kOutIn),
      in_(quantised_->columns()),
      out_(quantised_->rows()) {
  if (bias.defined()) bias_ = bias.to(DType::kF32);
}

const onednn::PackedMatrix& FrozenWeight::packed_forward(DType compute) const {
  return packed(forward_, layout_, compute);
}

const onednn::PackedMatrix& FrozenWeight::packed_backward(DType compute) const {
  // The backward product multiplies by the transpose: what was stored (out, in) is now (in', out').
  return packed(backward_, layout_ == Layout::kOutIn ? Layout::kInOut : Layout::kOutIn, compute);
}

const onednn::PackedMatrix& FrozenWeight::packed(std::map<DType, onednn::PackedMatrix>& cache,
                                                 Layout layout, DType compute) const {
  std::lock_guard guard(*lock_);
  auto found = cache.find(compute);
  if (found == cache.end()) {
    onednn::PackedMatrix matrix = is_quantised()
                                      ? onednn::PackedMatrix::over(*quantised_, layout, compute)
                                      : onednn::PackedMatrix::pack(weight_, layout, compute);
    found = cache.emplace(compute, std::move(matrix)).first;
    if (after_packing_) after_packing_();
  }
  return found->second;
}

Tensor FrozenWeight::dense(DType dtype) const {
  if (is_quantised()) return quantised_->dequantised(DType::kF32).to(dtype);
  if (layout_ == Layout::kOutIn) return weight_.to(dtype);
  return transposed(weight_.to(dtype));
}

const Tensor& FrozenWeight::exact() const {
  std::lock_guard guard(*lock_);
  if (!exact_.defined()) exact_ = dense(DType::kF64);
  return exact_;
}

}  // namespace inlay
