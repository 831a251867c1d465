#include "eval/several_learners.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "eval/posed_examples.h"
#include "eval/prediction_batches.h"

namespace inlay {
namespace {

// Whether these examples are the same pictures, each seen in the same way; never of texts.
bool same_pictures(ExampleSpan a, ExampleSpan b) {
  auto same = [](const TokenSequence& one, const TokenSequence& other) {
    return one.pixels != nullptr && one.pixels == other.pixels;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const EncodedExample* one, const EncodedExample* other) {
                      return same(one->tokens, other->tokens) &&
                             std::equal(one->further.begin(), one->further.end(),
                                        other->further.begin(), other->further.end(), same);
                    });
}

// One learner and the examples that it is asked about in a pass.
class Question {
 public:
  Question(const Learner& learner, std::vector<const EncodedExample*> examples,
           const Occasion& occasion)
      : learner_(learner),
        examples_(std::move(examples)),
        posed_(*learner.task, examples_, occasion) {}

  // Pictures that one of the questions before has read are not read again.
  void make_batch(const std::deque<Question>& before) {
    for (const Question& other : before) {
      if (other.batch_ == nullptr || !same_pictures(posed_.all(), other.posed_.all())) continue;
      batch_ = other.batch_;
      return;
    }
    batch_ = std::make_shared<const TokenBatch>(make_example_batch(
        posed_.all(), {.first_position = learner_.model->facts().first_position}));
  }

  const TokenBatch& batch() const { return *batch_; }

  bool reads_same(const Question& other) const {
    if (batch_->pixels.defined() || other.batch_->pixels.defined()) return batch_ == other.batch_;
    return batch_->ids == other.batch_->ids && batch_->types == other.batch_->types &&
           batch_->tokens.example_offsets == other.batch_->tokens.example_offsets;
  }

  std::vector<ModelOutput> answer(Context& context, const Variable& hidden) const {
    activate(context, learner_);
    Variable logits = logits_of_hidden(context, learner_, *learner_.model, hidden, *batch_);
    std::vector<ModelOutput> outputs;
    append_outputs(*learner_.task, examples_, posed_.all(),
                   judged_outputs(context, learner_, posed_.all(), std::move(logits)), outputs);
    return outputs;
  }

 private:
  const Learner& learner_;
  std::vector<const EncodedExample*> examples_;
  PosedExamples posed_;
  std::shared_ptr<const TokenBatch> batch_;
};

// Outputs of each question, in one pass.
std::vector<std::vector<ModelOutput>> answers(Context& context, const Model& model,
                                              const std::vector<const Learner*>& learners,
                                              const std::deque<Question>& questions,
                                              SharedWork& work) {
  std::vector<AdaptedBatch> asked;
  asked.reserve(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto first = std::find_if(questions.begin(), questions.end(), [&](const Question& other) {
      return other.reads_same(questions[i]);
    });
    activate(context, *learners[i]);
    asked.push_back({context.adapters, &first->batch()});
  }
  std::vector<Variable> hidden = model.encode_several(context, asked, work);
  std::vector<std::vector<ModelOutput>> outputs;
  outputs.reserve(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i)
    outputs.push_back(questions[i].answer(context, hidden[i]));
  return outputs;
}

}  // namespace

std::vector<std::vector<ModelOutput>> predict_parallel(Context& context,
                                                       std::span<const NamedLearner> learners,
                                                       ExampleSpan examples,
                                                       const Occasion& occasion, SharedWork& work) {
  std::vector<const Learner*> all;
  all.reserve(learners.size());
  for (const NamedLearner& named : learners) all.push_back(&named.learner);
  std::vector<std::vector<ModelOutput>> outputs(learners.size());
  int64_t tokens = kPredictionTokens / static_cast<int64_t>(learners.size());
  for_each_prediction_batch(context, examples, tokens, [&](ExampleSpan some) {
    std::deque<Question> questions;
    for (const Learner* learner : all) {
      questions.emplace_back(*learner, std::vector(some.begin(), some.end()), occasion);
      questions.back().make_batch(questions);
    }
    auto found = answers(context, *all[0]->model, all, questions, work);
    for (std::size_t l = 0; l < all.size(); ++l)
      std::move(found[l].begin(), found[l].end(), std::back_inserter(outputs[l]));
  });
  return outputs;
}

std::vector<ModelOutput> predict_by_row(Context& context, std::span<const NamedLearner> learners,
                                        std::span<const std::size_t> choice, ExampleSpan examples,
                                        const Occasion& occasion) {
  std::vector<ModelOutput> outputs(examples.size());
  std::size_t first = 0;
  for_each_prediction_batch(context, examples, kPredictionTokens, [&](ExampleSpan some) {
    std::vector<const Learner*> present;
    std::vector<std::vector<std::size_t>> places;  // of each present one, in `examples`
    std::deque<Question> questions;
    for (std::size_t l = 0; l < learners.size(); ++l) {
      std::vector<std::size_t> own;
      std::vector<const EncodedExample*> of_learner;
      for (std::size_t i = first; i < first + some.size(); ++i) {
        if (choice[i] != l) continue;
        own.push_back(i);
        of_learner.push_back(examples[i]);
      }
      if (own.empty()) continue;
      present.push_back(&learners[l].learner);
      places.push_back(std::move(own));
      questions.emplace_back(*present.back(), std::move(of_learner), occasion);
      questions.back().make_batch(questions);
    }
    SharedWork work;
    auto found = answers(context, *present[0]->model, present, questions, work);
    for (std::size_t q = 0; q < found.size(); ++q) {
      for (std::size_t i = 0; i < found[q].size(); ++i)
        outputs[places[q][i]] = std::move(found[q][i]);
    }
    first += some.size();
  });
  return outputs;
}

}  // namespace inlay
