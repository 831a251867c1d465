#include "eval/soft_targets.h"

namespace inlay {

Tensor soft_targets(ExampleSpan examples, int64_t outputs, const ClassesOf& classes_of) {
  Tensor targets = Tensor::zeros({static_cast<int64_t>(examples.size()), outputs}, DType::kF32);
  auto* row = targets.mutable_data<float>();
  for (const EncodedExample* example : examples) {
    float own = example->mix.has_value() ? example->mix->share : 1.0f;
    for (int32_t label : classes_of(*example->source)) row[label] += own;
    if (example->mix.has_value()) {
      for (int32_t label : classes_of(*example->mix->partner)) row[label] += 1.0f - own;
    }
    row += outputs;
  }
  return targets;
}

}  // namespace inlay
