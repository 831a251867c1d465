// Training a classifier of two classes over a base, on batches of sentences of random tokens whose
// lengths are given (sentence_lengths.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eval/learner.h"
#include "random_ids.h"
#include "training_step.h"

namespace inlay {

class ClassifierTraining {
 public:
  // A new adapter of `method`, and a head over rows that are pooled so.
  ClassifierTraining(std::shared_ptr<const Model> model, const std::string& method,
                     const char* pooling, DType compute)
      : context_(compute) {
    learner_.model = std::move(model);
    const BaseFacts& facts = learner_.model->facts();
    learner_.adapter = Adapter::create("bench", parse_method(method), facts, 1);
    learner_.task = find_task("text-classification").make({"no", "yes"}, 0, {});
    HeadLayout layout = resolve_head(facts, HeadKind::kSequenceClassification, pooling);
    learner_.head = std::make_unique<Head>(layout, facts.hidden, 2, 0.0, 1);
    optimizer_ = std::make_unique<Optimizer>(
        OptimizerOptions{}, std::vector<OptimizerGroup>{{learner_.parameters(), 1e-4}});
    activate(context_, learner_);
  }

  void make_batches(const std::vector<std::vector<int64_t>>& lengths) {
    const BaseFacts& facts = learner_.model->facts();
    RandomIds ids(facts.vocabulary);
    for (const std::vector<int64_t>& counts : lengths) {
      std::vector<TokenSequence> sequences(counts.size());
      std::vector<const TokenSequence*> pointers;
      BatchTargets targets;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        sequences[i].ids = ids.draw(counts[i]);
        pointers.push_back(&sequences[i]);
        targets.classes.push_back(static_cast<int32_t>(i % 2));
      }
      batches_.push_back(make_token_batch(
          pointers, {.chunk = learner_.gradient_chunk(), .first_position = facts.first_position}));
      targets_.push_back(std::move(targets));
    }
  }

  // One effective batch, as the trainer runs it; returns its tokens. The batches come by turns.
  int64_t step(std::size_t number) {
    const TokenBatch& batch = batches_[number % batches_.size()];
    const BatchTargets& targets = targets_[number % batches_.size()];
    context_.step = static_cast<uint32_t>(number);
    learn_from(context_,
               learner_.task->loss(context_, learner_logits(context_, learner_, batch), targets,
                                   static_cast<double>(targets.classes.size())),
               *optimizer_);
    return batch.tokens.rows();
  }

  std::size_t batch_count() const { return batches_.size(); }
  int64_t parameters() const { return learner_.adapter->parameter_count(); }
  Context& context() { return context_; }

 private:
  Context context_;
  Learner learner_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<TokenBatch> batches_;
  std::vector<BatchTargets> targets_;
};

}  // namespace inlay
