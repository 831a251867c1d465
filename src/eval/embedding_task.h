// A vector per text or picture, pooled from the last hidden states: what the tasks share that read
// what a base and an adapter give, and train nothing.
#pragma once

#include "eval/task.h"

namespace inlay {

// {"embedding": [...]}: the output at length 1, so that a dot product of two is their cosine.
// kInput naming the example where it has no direction.
Json embedding_prediction(const ModelOutput& output);

class EmbeddingTask : public Task {
 public:
  explicit EmbeddingTask(int64_t hidden) : hidden_(hidden) {}

  int64_t outputs() const override { return hidden_; }
  Json prediction(const ModelOutput& output) const override { return embedding_prediction(output); }

  // Unreachable behind require_trainable().
  BatchTargets targets(ExampleSpan examples) const override;
  double loss_weight(ExampleSpan examples) const override;
  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override;
  Json metrics(std::span<const ModelOutput> outputs) const override;

 private:
  int64_t hidden_;
};

// What is registered of such a task.
TaskInfo embedding_info(std::string name, std::string summary, TaskKind data);

}  // namespace inlay
