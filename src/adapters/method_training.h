// What a method does while it is trained, beyond the gradients of its parameters: learning rates of
// parts, changes of gradients, regularisers, pruning. One per training run; the trainer calls it in
// the order of the functions below.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "formats/safetensors.h"

namespace inlay {

// A step of the run: 0 is the first.
struct StepPlace {
  int64_t step = 0, total = 0;
};

class MethodTraining {
 public:
  virtual ~MethodTraining() = default;
  // The learning rate of a part over the adapter's.
  virtual double rate_factor(const Adapter::Entry&) const { return 1.0; }
  // After the backward pass of a step: gradients of a regulariser through
  // Parameter::add_gradient(). Gives the regulariser's value.
  virtual double regularise(StepPlace) { return 0.0; }
  // Changes a clipped gradient before the optimizer sees it. `entry` is trained.
  virtual void transform(const Adapter::Entry&, Tensor& /*gradient*/) {}
  // After the update. Gradients as the optimizer saw them, by parameter; absent where there was
  // none.
  using Gradients = std::map<const Parameter*, Tensor>;
  virtual bool wants_gradients() const { return false; }
  virtual void after_step(StepPlace, const Gradients&) {}
  // Whether the adapter after this many steps is one to keep, should its figure be the best.
  virtual bool complete(StepPlace) const { return true; }

  // What else the following steps depend on, for checkpoints.
  virtual std::vector<NamedTensor> state() const { return {}; }
  virtual void restore(const SafetensorsFile&) {}
};

}  // namespace inlay
