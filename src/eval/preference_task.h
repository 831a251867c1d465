// What tasks over preferences have in common: two answers to a prompt by the base's own output
// projection, a reward for each, and the pairs in which the chosen answer has the larger one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eval/answer_pair.h"
#include "eval/task.h"

namespace inlay {

class PreferenceTask : public Task {
 public:
  explicit PreferenceTask(const TaskOptions& options);

  int64_t outputs() const override;
  BatchTargets targets(ExampleSpan examples) const override;
  // The loss is a mean over pairs.
  double loss_weight(ExampleSpan examples) const override;
  Variable loss(Context& context, const Variable& rows, const BatchTargets& targets,
                double normalizer) const override;
  // -log p of every token of the answers.
  Variable judged(Context& context, Variable rows, ExampleSpan examples) const override;
  Json prediction(const ModelOutput& output) const override;
  Json metrics(std::span<const ModelOutput> outputs) const override;
  Json details(std::span<const ModelOutput> outputs) const override;

 protected:
  virtual PairLoss pair_loss(const AnswerPair& pair) const = 0;
  virtual double reward(const AnswerLikelihood& answer) const = 0;

 private:
  double margin(const ModelOutput& output) const;

  const Model& model_;
};

// TaskInfo::make of such a task.
template <class OneTask>
std::unique_ptr<Task> make_preference_task(const std::vector<std::string>&, int64_t,
                                           const TaskOptions& options) {
  ensure(options.model != nullptr, "a task over preferences is made without a model");
  return std::make_unique<OneTask>(options);
}

}  // namespace inlay
