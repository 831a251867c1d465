// Any number of labels per example, by binary cross entropy of each: what texts and images share.
// A label is predicted where its probability exceeds 1/2.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/task.h"

namespace inlay {

class MultiLabelTask : public Task {
 public:
  explicit MultiLabelTask(std::vector<std::string> labels) : labels_(std::move(labels)) {}

  int64_t outputs() const override { return static_cast<int64_t>(labels_.size()); }
  BatchTargets targets(ExampleSpan examples) const override;
  double loss_weight(ExampleSpan examples) const override;
  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override;
  Json prediction(const ModelOutput& output) const override;
  // "accuracy" counts examples with every label right, "label_accuracy" every decision about a
  // label. "roc_auc" is the mean over the labels that have one.
  Json metrics(std::span<const ModelOutput> outputs) const override;
  // The classes have a "roc_auc", too, null where all examples or none have the label.
  Json details(std::span<const ModelOutput> outputs) const override;

 private:
  std::vector<std::string> labels_;
};

}  // namespace inlay
