#include "eval/preference_task.h"

#include "eval/intervals.h"
#include "eval/statistics.h"
#include "eval/task_details.h"
#include "eval/wanted_tokens.h"
#include "models/model.h"

namespace inlay {
namespace {

AnswerPair pair_of(const ModelOutput& output) {
  return answer_pair(*output.example, output.values);
}

// Where the answers of these examples stand, and what the base alone gives for them.
PreferencePairs pairs_of(ExampleSpan examples) {
  PreferencePairs pairs;
  pairs.space = rows_alone(static_cast<int64_t>(examples.size()));
  for (const EncodedExample* example : examples) {
    for (const TokenSequence* sequence : {&example->tokens, &example->further.at(0)}) {
      pairs.offsets.push_back(pairs.offsets.back() + static_cast<int64_t>(sequence->asked.size()));
    }
    pairs.reference.insert(pairs.reference.end(), example->reference.begin(),
                           example->reference.end());
  }
  return pairs;
}

}  // namespace

PreferenceTask::PreferenceTask(const TaskOptions& options) : model_(*options.model) {}

int64_t PreferenceTask::outputs() const { return model_.facts().hidden; }

BatchTargets PreferenceTask::targets(ExampleSpan examples) const {
  BatchTargets targets;
  targets.classes = wanted_tokens(examples);
  targets.preferences = pairs_of(examples);
  return targets;
}

double PreferenceTask::loss_weight(ExampleSpan examples) const {
  return static_cast<double>(examples.size());
}

Variable PreferenceTask::loss(Context& context, const Variable& rows, const BatchTargets& targets,
                              double normalizer) const {
  Variable token_losses = model_.next_token_loss(context, rows, targets.classes, 1);
  auto of_pair = [this](const AnswerLikelihood& chosen, const AnswerLikelihood& rejected) {
    return pair_loss({chosen, rejected});
  };
  return preference_loss(context, token_losses, targets.preferences, of_pair, normalizer);
}

Variable PreferenceTask::judged(Context& context, Variable rows, ExampleSpan examples) const {
  return model_.next_token_loss(context, rows, wanted_tokens(examples), 1);
}

double PreferenceTask::margin(const ModelOutput& output) const {
  AnswerPair pair = pair_of(output);
  return reward(pair.chosen) - reward(pair.rejected);
}

Json PreferenceTask::prediction(const ModelOutput& output) const {
  AnswerPair pair = pair_of(output);
  return {{"chosen_log_probability", pair.chosen.log_probability},
          {"rejected_log_probability", pair.rejected.log_probability},
          {"margin", margin(output)},
          {"rejected", output.example->source->further.at(0)}};
}

Json PreferenceTask::metrics(std::span<const ModelOutput> outputs) const {
  auto n = static_cast<double>(outputs.size());
  double loss = 0, of_chosen = 0, of_rejected = 0;
  int64_t hits = 0;
  for (const ModelOutput& output : outputs) {
    AnswerPair pair = pair_of(output);
    loss += pair_loss(pair).value / n;
    of_chosen += reward(pair.chosen) / n;
    of_rejected += reward(pair.rejected) / n;
    hits += margin(output) > 0 ? 1 : 0;
  }
  Json metrics{{"accuracy", static_cast<double>(hits) / n},
               {"loss", loss},
               {"negative_loss", -loss},
               {"rewards/chosen", of_chosen},
               {"rewards/rejected", of_rejected},
               {"rewards/margins", of_chosen - of_rejected}};
  add_interval(metrics, "accuracy", wilson_interval(hits, static_cast<int64_t>(outputs.size())));
  return metrics;
}

Json PreferenceTask::details(std::span<const ModelOutput> outputs) const {
  Mistakes mistakes;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    double lead = margin(outputs[i]);
    if (lead > 0) continue;
    const Example& source = *outputs[i].example->source;
    mistakes.add({i, -lead, source.text_pair, source.further.at(0), std::nullopt});
  }
  return {{"mistakes", mistakes.details()}};
}

}  // namespace inlay
