// The second half of a training step, from the losses of a batch on.
#pragma once

#include <algorithm>
#include <utility>

#include "nn/context.h"
#include "train/optimizer.h"

namespace inlay {

// Walks back from `losses`, whose sum is minimised, and moves the parameters.
inline void learn_from(Context& context, Variable losses, Optimizer& optimizer) {
  Tensor seed = Tensor::empty(losses.shape(), losses.dtype(), &context.arena);
  std::fill_n(seed.mutable_data<float>(), seed.count(), 1.0f);
  context.tape.backward(losses, std::move(seed));
  losses = Variable();
  optimizer.step(1.0, 1.0);
}

}  // namespace inlay
