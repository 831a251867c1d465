// The hook of methods whose update of a linear layer is a matrix made from small parameters:
// y = W x + b + dW x, with dW (out, in) made once a step. It serves every such method (LoHa, LoKr,
// FourierFT ...); a method with a cheaper way to run, as LoRA has, brings a hook of its own.
#pragma once

#include <memory>
#include <string>

#include "adapters/method.h"

namespace inlay {

// `dropout` of the update's input while training, its random numbers from the stream named so.
std::unique_ptr<SiteHook> make_delta_hook(DerivedParameter& delta, double dropout,
                                          std::string stream);

// merged.weight += delta, in the weight's precision.
void merge_delta(MergedTensors& merged, const Tensor& delta);

}  // namespace inlay
