// UniPELT's gate, Mao et al. 2021, arXiv:2110.07577: how much of an adapter's part an example gets,
// g = mean over its tokens of sigmoid(W_g x + b_g), as AdapterHub's use_gating has it.
#pragma once

#include <string>

#include "adapters/method.h"

namespace inlay {

class ExampleGate {
 public:
  // The gate's tensors are parts `<part>.weight` (1, in) ~ N(0, 0.02^2) and `<part>.bias` (1),
  // zero.
  ExampleGate(const Site& site, int64_t in, ParameterMaker& make, const std::string& part = "gate");

  // g z, with g from x; both (tokens, channels) of the same examples.
  Variable apply(Context& context, const Variable& x, const Variable& z) const;

 private:
  Parameter& weight_;
  Parameter& bias_;
};

}  // namespace inlay
