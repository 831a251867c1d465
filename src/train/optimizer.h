// Turns gradients into updates of parameters, with the state that takes: AdamW (Loshchilov and
// Hutter 2019) or SGD with momentum.
#pragma once

#include <string>
#include <vector>

#include "autograd/parameter.h"
#include "formats/safetensors.h"

namespace inlay {

struct OptimizerGroup {
  std::vector<Parameter*> parameters;
  double learning_rate;  // at the peak of the schedule
};

// Sees every gradient of a step on its way: changes one after clipping, before it is used.
class GradientListener {
 public:
  virtual ~GradientListener() = default;
  virtual void gradient(Parameter& parameter, Tensor& gradient) = 0;
};

struct OptimizerOptions {
  std::string name = "adamw";
  double weight_decay = 0.01;  // of parameters of rank 2 and more
  double momentum = 0.9;       // sgd only
};

class Optimizer {
 public:
  Optimizer(OptimizerOptions options, const std::vector<OptimizerGroup>& groups);

  // One update at `factor` times the peak rates. Takes every parameter's gradient; those without
  // one are left alone. Gradients are first scaled so that their common norm is at most `clip` (0:
  // no limit). Returns the norm before that. A gradient that is not finite is kInput naming the
  // first such parameter; nothing is updated then.
  double step(double factor, double clip, GradientListener* listener = nullptr);

  int64_t steps() const { return steps_; }
  // The state by name ("m.<parameter>", "v.<parameter>"), and back; kInput where a moment is not of
  // its parameter's shape.
  std::vector<NamedTensor> state() const;
  void restore(int64_t steps, const SafetensorsFile& file);

 private:
  struct Slot {
    Parameter* parameter;
    double learning_rate;
    Tensor first, second;  // moments; second is undefined for sgd
  };

  OptimizerOptions options_;
  std::vector<Slot> slots_;
  std::vector<Tensor> gradients_;  // of slots_, within step(); kept for its memory
  int64_t steps_ = 0;
};

}  // namespace inlay
