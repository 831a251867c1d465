// Direct preference optimisation: of two answers to a prompt the model shall prefer the chosen one
// more than the base does (Rafailov et al. 2023, arXiv:2305.18290, eq. 7).
#include "eval/preference_task.h"

namespace inlay {
namespace {

class Dpo : public PreferenceTask {
 public:
  explicit Dpo(const TaskOptions& options)
      : PreferenceTask(options),
        options_{.beta = options.beta, .label_smoothing = options.label_smoothing} {}

 protected:
  PairLoss pair_loss(const AnswerPair& pair) const override {
    return dpo_loss(pair.chosen, pair.rejected, options_);
  }

  // r = beta log (p / q), up to what depends on the prompt alone (eq. 5 there).
  double reward(const AnswerLikelihood& answer) const override {
    return options_.beta * (answer.log_probability - answer.reference);
  }

 private:
  DpoOptions options_;
};

}  // namespace

const TaskInfo& task_dpo() {
  static const TaskInfo info{
      .name = "dpo",
      .summary = "The better one of two answers, preferred more than the base prefers it.",
      .data = TaskKind::kPreference,
      .layer = OutputLayer::kNextToken,
      .reference = true,
      .problem_type = "",
      .peft_type = "CAUSAL_LM",
      .choosing_metrics = {"accuracy", "negative_loss"},
      .headline = {"accuracy", "rewards/margins", "loss"},
      .make = make_preference_task<Dpo>};
  return info;
}

}  // namespace inlay
