// One or several numbers per example, by mean squared error: what texts and images share.
#pragma once

#include "eval/task.h"

namespace inlay {

class RegressionTask : public Task {
 public:
  explicit RegressionTask(int64_t outputs) : outputs_(outputs) {}

  int64_t outputs() const override { return outputs_; }
  BatchTargets targets(ExampleSpan examples) const override;
  double loss_weight(ExampleSpan examples) const override;
  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override;
  Json prediction(const ModelOutput& output) const override;
  // Several outputs are judged as one list of numbers; up to sixteen also each by itself, as
  // "mse_of_1", "mae_of_1" and "pearson_of_1".
  Json metrics(std::span<const ModelOutput> outputs) const override;
  Json details(std::span<const ModelOutput> outputs) const override;

 private:
  int64_t outputs_;
};

}  // namespace inlay
