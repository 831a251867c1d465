// One class per example, by cross entropy: what classification of texts and of images share. Mixed
// pictures have shares of two classes as their target.
#pragma once

#include <string>
#include <vector>

#include "autograd/ops/losses.h"
#include "eval/task.h"

namespace inlay {

class SingleLabelTask : public Task {
 public:
  // kUsage for mixing together with label smoothing or class weights.
  SingleLabelTask(std::vector<std::string> classes, const TaskOptions& options);

  int64_t outputs() const override { return static_cast<int64_t>(classes_.size()); }
  BatchTargets targets(ExampleSpan examples) const override;
  double loss_weight(ExampleSpan examples) const override;
  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override;
  Json prediction(const ModelOutput& output) const override;
  Json metrics(std::span<const ModelOutput> outputs) const override;
  Json details(std::span<const ModelOutput> outputs) const override;

 private:
  std::vector<std::string> classes_;
  CrossEntropyOptions loss_;
  bool mixes_;
};

}  // namespace inlay
