// A frozen weight and bias of a linear layer, packed once per compute type into the layouts that
// the forward and the backward product want. Shared by all contexts; packing happens at first use,
// under a lock. The weight itself stays where the model file is mapped. A quantised weight is not
// packed, nor is one that is asked for as it is stored: products make some columns of it at a time
// (tensor/onednn/packed_matrix.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "tensor/onednn/packed_matrix.h"
#include "tensor/tensor.h"

namespace inlay {

class FrozenWeight {
 public:
  // `weight` (out, in) for kOutIn, (in, out) for kInOut; `bias` (out) or undefined. `after_packing`
  // is called whenever the weight has been read, so that its owner can drop the pages of the file.
  FrozenWeight(Tensor weight, Tensor bias, onednn::Layout layout,
               std::function<void()> after_packing);
  // `weight` (out, in), whose bytes are shared.
  FrozenWeight(QuantisedMatrix weight, const Tensor& bias);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  bool is_quantised() const { return quantised_.has_value(); }
  const Tensor& weight() const { return weight_; }  // as stored; undefined when it is quantised
  const QuantisedMatrix& quantised() const { return *quantised_; }  // REQUIRES: is_quantised()
  onednn::Layout layout() const { return layout_; }
  bool has_bias() const { return bias_.defined(); }
  const Tensor& bias() const { return bias_; }  // F32, undefined when there is none

  // The right-hand side of y = x W^T, and of dx = dy W.
  const onednn::PackedMatrix& forward(DType compute, onednn::Reading reading) const;
  const onednn::PackedMatrix& backward(DType compute, onednn::Reading reading) const;
  // The weight as (out, in) in floats, made anew: for what reads it as numbers once, such as a
  // merge. A quantised one is dequantised.
  Tensor dense(DType dtype) const;
  // dense() in float64, kept: for gradient checks.
  const Tensor& exact() const;

 private:
  using Way = std::pair<DType, onednn::Reading>;
  const onednn::PackedMatrix& matrix(std::map<Way, onednn::PackedMatrix>& cache,
                                     onednn::Layout layout, Way way) const;

  Tensor weight_, bias_;
  std::optional<QuantisedMatrix> quantised_;  // in place of weight_
  onednn::Layout layout_;
  int64_t in_, out_;
  std::function<void()> after_packing_;
  std::unique_ptr<std::mutex> lock_ =
      std::make_unique<std::mutex>();  // by pointer: the weight can be moved
  mutable std::map<Way, onednn::PackedMatrix> forward_, backward_;
  mutable Tensor exact_;
};

}  // namespace inlay
