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

class FrozenPrefix;

struct Learner {
  std::shared_ptr<const Model> model;
  std::unique_ptr<Adapter> adapter;  // null: the base as it is
  OutputLayer layer = OutputLayer::kHead;
  std::unique_ptr<Head> head;            // kHead only
  HeadInput pooling = HeadInput::kMean;  // kPooling only
  std::unique_ptr<Task> task;
  // Of examples that are seen in every epoch, while training; null: everything is computed.
  std::shared_ptr<FrozenPrefix> prefix;

  // All that can be trained, adapter first, in a fixed order.
  std::vector<Parameter*> parameters() const;
  // Examples whose gradients are summed before the tree.
  int64_t gradient_chunk() const;
  // Whether no part of a batch can be trained on without the rest.
  bool couples_batch() const;
};

// The head's input for a task on this base: the family's own, or mean pooling where the base has no
// pooler. `pooling` is "auto" or a name of HeadInput.
HeadLayout resolve_head(const BaseFacts& base, HeadKind kind, const std::string& pooling);

// A fresh head for the task on this base.
struct HeadSettings {
  std::string pooling = "auto";  // as for resolve_head()
  double dropout = 0;
  uint64_t seed = 0;
};
std::unique_ptr<Head> make_head(const Model& model, const Task& task, const HeadSettings& settings);

// What is pooled for a task without a head: "auto" is the mean of all tokens.
HeadInput resolve_pooling(const BaseFacts& base, const std::string& pooling);

// kInput naming the base where it lacks the layer that the task reads.
void require_layer(const Model& model, const TaskInfo& info);

// Gives the learner the task and the output layer that it reads, but no head. `outputs` is for
// heads; the base's own layers know theirs. kInput as require_layer(). REQUIRES: the learner has
// its model.
struct TaskSettings {
  std::vector<std::string> classes;
  int64_t outputs = 1;
  std::string pooling = "auto";
  TaskOptions options;
};
void set_task(Learner& learner, const TaskInfo& info, const TaskSettings& settings);

// The parts of a base that a task reads.
ModelParts parts_for(const TaskInfo& info, const std::string& quantise = "none");

// Logits of a micro-batch: (examples, outputs), (tokens, outputs) or (asked tokens, outputs);
// hidden rows of the asked tokens for kNextToken, places of a pyramid for a detection head. The
// batch must outlive the backward pass.
Variable learner_logits(Context& context, const Learner& learner, const TokenBatch& batch);
// The same of examples that pass in the learner's batches, with what is kept of them.
TokenBatch learner_batch(const Learner& learner, ExampleSpan examples, const BatchPlace& place);
Variable learner_logits(Context& context, const Learner& learner, ExampleSpan examples,
                        const TokenBatch& batch);
// The same on another base of the same shape, such as a merged one.
Variable learner_logits(Context& context, const Learner& learner, const Model& model,
                        const TokenBatch& batch);
// The same from hidden states that encode() gave, with the learner's adapter active. kUsage for a
// head that reads more of the base than these.
Variable logits_of_hidden(Context& context, const Learner& learner, const Model& model,
                          const Variable& hidden, const TokenBatch& batch);

// What of these outputs the task keeps its figures from (Task::judged).
Variable judged_outputs(Context& context, const Learner& learner, ExampleSpan posed,
                        Variable outputs);

// Positions of the base that the learner's virtual tokens take.
int64_t positions_taken(const Learner& learner);

// Activates the learner's adapter in a context.
void activate(Context& context, const Learner& learner);

// Values only, no tape: the outputs of all examples, in order, computed in batches.
std::vector<ModelOutput> predict(Context& context, const Learner& learner, ExampleSpan examples,
                                 const Occasion& occasion = {});

}  // namespace inlay
