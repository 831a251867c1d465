#include "adapters/example_gate.h"

#include "autograd/ops/example_scale.h"
#include "autograd/ops/linear.h"
#include "nn/context.h"
#include "nn/initializers.h"

namespace inlay {

namespace {
constexpr float kStd = 0.02f;
}

ExampleGate::ExampleGate(const Site& site, int64_t in, ParameterMaker& make,
                         const std::string& part)
    : weight_(make.make(site, part + ".weight",
                        normal_init({1, in}, kStd, make.stream(site, part + ".weight")))),
      bias_(make.make(site, part + ".bias", Tensor::zeros({1}, DType::kF32))) {}

Variable ExampleGate::apply(Context& context, const Variable& x, const Variable& z) const {
  Variable scores = linear(context, x, {.weight = &weight_, .bias = &bias_}, Precision::kFull);
  return mean_gate(context, z, scores);
}

}  // namespace inlay
