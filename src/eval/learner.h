// A base with what was put on it: adapter, head, task. Training, evaluation and prediction run this
// one forward pass.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "adapters/adapter.h"
#include "eval/task.h"
#include "models/model.h"

namespace inlay {

struct Learner {
  std::shared_ptr<const Model> model;
  std::unique_ptr<Adapter> adapter;  // null: head only
  std::unique_ptr<Head> head;
  std::unique_ptr<Task> task;

  // All that can be trained, adapter first, in a fixed order.
  std::vector<Parameter*> parameters() const;
  // Examples whose gradients are summed before the tree.
  int64_t gradient_chunk() const;
};

// The head's input for a task on this base: the family's own, or mean pooling where the base has no
// pooler. `pooling` is "auto" or a name of HeadInput.
HeadLayout resolve_head(const BaseFacts& base, HeadKind kind, const std::string& pooling);

// Logits of a micro-batch, (examples, outputs) or (tokens, outputs). The batch must outlive the
// backward pass.
Variable learner_logits(Context& context, const Learner& learner, const TokenBatch& batch);

// Activates the learner's adapter in a context.
void activate(Context& context, const Learner& learner);

// Values only, no tape: the outputs of all examples, in order, computed in batches of about
// `tokens_per_batch` tokens.
std::vector<ModelOutput> predict(Context& context, const Learner& learner,
                                 std::span<const EncodedExample* const> examples,
                                 int64_t tokens_per_batch = 2048);

}  // namespace inlay
