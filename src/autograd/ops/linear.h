// y = x W^T + b, with the base's frozen weights or with trainable ones in their place.
#pragma once

#include "autograd/frozen_weight.h"
#include "autograd/op_context.h"

namespace inlay {

// Where a product takes its numbers from: a trainable tensor where one is given, the frozen one
// otherwise.
struct LinearWeights {
  const FrozenWeight* frozen = nullptr;
  Parameter* weight = nullptr;  // (out, in)
  Parameter* bias = nullptr;    // (out)

  int64_t in() const { return weight != nullptr ? weight->shape()[1] : frozen->in(); }
  int64_t out() const { return weight != nullptr ? weight->shape()[0] : frozen->out(); }
};

// x (rows, in) -> (rows, out). Backward: dx = dy W; dW and db, per chunk of rows, where trainable.
Variable linear(OpContext& context, const Variable& x, const LinearWeights& weights,
                Precision precision);

// rows W^T without the bias and off the tape, in full precision: what of the frozen weight a method
// needs that cannot read it as numbers. rows: (count, in); result: (count, out).
Tensor times_frozen(OpContext& context, const Tensor& rows, const FrozenWeight& weight);

}  // namespace inlay
