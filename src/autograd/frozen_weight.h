// A frozen weight and bias of a linear layer, packed once per compute type into the layouts that
// the forward and the backward product want. Shared by all contexts; packing happens at first use,
// under a lock. The weight itself stays where the model file is mapped.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "tensor/onednn/matmul.h"
#include "tensor/tensor.h"

namespace inlay {

class FrozenWeight {
 public:
  // `weight` (out, in) for kOutIn, (in, out) for kInOut; `bias` (out) or undefined. `after_packing`
  // is called whenever the weight has been read, so that its owner can drop the pages of the file.
  FrozenWeight(Tensor weight, Tensor bias, onednn::Layout layout,
               std::function<void()> after_packing);

  int64_t in() const { return layout_ == onednn::Layout::kOutIn ? weight_.dim(1) : weight_.dim(0); }
  int64_t out() const {
    return layout_ == onednn::Layout::kOutIn ? weight_.dim(0) : weight_.dim(1);
  }
  const Tensor& weight() const { return weight_; }
  onednn::Layout layout() const { return layout_; }
  bool has_bias() const { return bias_.defined(); }
  const Tensor& bias() const { return bias_; }  // F32, undefined when there is none

  const onednn::PackedMatrix& packed_forward(DType compute) const;   // y = x W^T
  const onednn::PackedMatrix& packed_backward(DType compute) const;  // dx = dy W
  // The weight as (out, in) in float64, for gradient checks.
  const Tensor& exact() const;

 private:
  const onednn::PackedMatrix& packed(std::map<DType, onednn::PackedMatrix>& cache,
                                     onednn::Layout layout, DType compute) const;

  Tensor weight_, bias_;
  onednn::Layout layout_;
  std::function<void()> after_packing_;
  std::unique_ptr<std::mutex> lock_ =
      std::make_unique<std::mutex>();  // by pointer: the weight can be moved
  mutable std::map<DType, onednn::PackedMatrix> forward_, backward_;
  mutable Tensor exact_;
};

}  // namespace inlay
