#include "autograd/frozen_weight.h"

#include <utility>

namespace inlay {

using onednn::Layout;

FrozenWeight::FrozenWeight(Tensor weight, Tensor bias, Layout layout,
                           std::function<void()> after_packing)
    : weight_(std::move(weight)), layout_(layout), after_packing_(std::move(after_packing)) {
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
    found = cache.emplace(compute, onednn::PackedMatrix::pack(weight_, layout, compute)).first;
    if (after_packing_) after_packing_();
  }
  return found->second;
}

const Tensor& FrozenWeight::exact() const {
  std::lock_guard guard(*lock_);
  if (exact_.defined()) return exact_;
  Tensor stored = weight_.to(DType::kF64);
  if (layout_ == Layout::kOutIn) return exact_ = stored;
  exact_ = Tensor::empty({out(), in()}, DType::kF64);
  const auto* src = stored.data<double>();
  auto* dst = exact_.mutable_data<double>();
  for (int64_t i = 0; i < in(); ++i) {
    for (int64_t o = 0; o < out(); ++o) dst[o * in() + i] = src[i * out() + o];
  }
  return exact_;
}

}  // namespace inlay
