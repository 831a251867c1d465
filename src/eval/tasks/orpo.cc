// Odds ratio preference optimisation: a model learns the chosen one of two answers, and that its
// odds be larger than the rejected one's; the base is not asked (Hong, Lee and Thorne 2024,
// arXiv:2403.07691, eqs. 6 and 7). Every pair weighs the same, however long its answers are.
#include "eval/preference_task.h"

namespace inlay {
namespace {

class Orpo : public PreferenceTask {
 public:
  explicit Orpo(const TaskOptions& options) : PreferenceTask(options), beta_(options.beta) {}

 protected:
  PairLoss pair_loss(const AnswerPair& pair) const override {
    return orpo_loss(pair.chosen, pair.rejected, beta_);
  }

  double reward(const AnswerLikelihood& answer) const override { return log_odds(answer); }

 private:
  double beta_;
};

}  // namespace

const TaskInfo& task_orpo() {
  static const TaskInfo info{
      .name = "orpo",
      .summary = "The better one of two answers, learned as it is and at larger odds.",
      .data = TaskKind::kPreference,
      .layer = OutputLayer::kNextToken,
      .problem_type = "",
      .peft_type = "CAUSAL_LM",
      .choosing_metrics = {"accuracy", "negative_loss"},
      .headline = {"accuracy", "rewards/margins", "loss"},
      .make = make_preference_task<Orpo>};
  return info;
}

}  // namespace inlay
