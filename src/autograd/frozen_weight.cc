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

const onednn::PackedMatrix& FrozenWeight::forward(DType compute, onednn::Reading reading) const {
  return matrix(forward_, layout_, {compute, reading});
}

const onednn::PackedMatrix& FrozenWeight::backward(DType compute, onednn::Reading reading) const {
  // The backward product multiplies by the transpose: what was stored (out, in) is now (in', out').
  Layout transposed = layout_ == Layout::kOutIn ? Layout::kInOut : Layout::kOutIn;
  return matrix(backward_, transposed, {compute, reading});
}

const onednn::PackedMatrix& FrozenWeight::matrix(std::map<Way, onednn::PackedMatrix>& cache,
                                                 Layout layout, Way way) const {
  using onednn::PackedMatrix;
  if (is_quantised()) way.second = onednn::Reading::kStored;
  std::lock_guard guard(*lock_);
  auto found = cache.find(way);
  if (found != cache.end()) return found->second;
  auto [compute, reading] = way;
  bool packs = reading == onednn::Reading::kPacked;
  PackedMatrix made = packs            ? PackedMatrix::pack(weight_, layout, compute)
                      : is_quantised() ? PackedMatrix::over(*quantised_, layout, compute)
                                       : PackedMatrix::over(weight_, layout, compute);
  if (packs && after_packing_) after_packing_();
  return cache.emplace(way, std::move(made)).first->second;
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
