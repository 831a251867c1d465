// The right one of several choices: each is scored in a sequence of its own, and a softmax over the
// scores of a question gives the loss (Hugging Face's ...ForMultipleChoice; Radford et al. 2018,
// section 3.3). Questions may differ in how many choices they have.
#include <algorithm>
#include <cmath>

#include "autograd/ops/group_cross_entropy.h"
#include "eval/metrics/calibration.h"
#include "eval/probabilities.h"
#include "eval/statistics.h"
#include "eval/task.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

struct JudgedChoices {
  std::vector<uint8_t> right;
  std::vector<float> confidences;
  int64_t hits = 0;
  double log_loss = 0, chance = 0;  // means over the questions
};

JudgedChoices judge(std::span<const ModelOutput> outputs) {
  JudgedChoices judged;
  auto n = static_cast<double>(outputs.size());
  for (const ModelOutput& output : outputs) {
    std::vector<float> probabilities = class_probabilities(output.values);
    int32_t best = largest(probabilities), truth = output.example->source->class_id;
    judged.right.push_back(best == truth ? 1 : 0);
    judged.hits += judged.right.back();
    judged.confidences.push_back(probabilities[static_cast<std::size_t>(best)]);
    double of_truth = probabilities[static_cast<std::size_t>(truth)];
    judged.log_loss -= std::log(std::max(of_truth, 1e-38)) / n;
    judged.chance += 1 / static_cast<double>(probabilities.size()) / n;
  }
  return judged;
}

class MultipleChoice : public Task {
 public:
  HeadKind head_kind() const override { return HeadKind::kMultipleChoice; }
  int64_t outputs() const override { return 1; }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.groups.offsets = {0};
    for (const EncodedExample* example : examples) {
      targets.groups.offsets.push_back(targets.groups.offsets.back() +
                                       static_cast<int64_t>(example->sequence_count()));
      targets.groups.rows.push_back(example->source->class_id);
    }
    targets.losses = rows_alone(static_cast<int64_t>(examples.size()));
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size());
  }

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return group_cross_entropy(context, logits, targets.groups, normalizer, &targets.losses);
  }

  Json prediction(const ModelOutput& output) const override {
    const Example& source = *output.example->source;
    std::vector<float> probabilities = class_probabilities(output.values);
    int32_t best = largest(probabilities);
    Json json{{"choice", source.further[static_cast<std::size_t>(best)]},
              {"label", best},
              {"probabilities", probabilities}};
    if (source.class_id >= 0) json["truth"] = source.class_id;
    return json;
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    JudgedChoices judged = judge(outputs);
    auto n = static_cast<int64_t>(outputs.size());
    Interval interval = wilson_interval(judged.hits, n);
    return {{"accuracy", static_cast<double>(judged.hits) / static_cast<double>(n)},
            {"accuracy_interval", {interval.low, interval.high}},
            {"chance_accuracy", judged.chance},
            {"log_loss", judged.log_loss},
            {"negative_log_loss", -judged.log_loss},
            {"calibration_error", expected_calibration_error(judged.confidences, judged.right)}};
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    JudgedChoices judged = judge(outputs);
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (judged.right[i] != 0) continue;
      const Example& source = *outputs[i].example->source;
      auto truth = static_cast<std::size_t>(source.class_id);
      auto best = static_cast<std::size_t>(largest(outputs[i].values));
      mistakes.add({i, judged.confidences[i], source.further[truth], source.further[best],
                    judged.confidences[i]});
    }
    double error = expected_calibration_error(judged.confidences, judged.right);
    return {{"calibration", calibration_details(judged.confidences, judged.right, error)},
            {"mistakes", mistakes.details()}};
  }
};

}  // namespace

const TaskInfo& task_multiple_choice() {
  static const TaskInfo info{.name = "multiple-choice",
                             .summary = "The right one of several choices for a question.",
                             .data = TaskKind::kMultipleChoice,
                             .problem_type = "",
                             .peft_type = "",
                             .choosing_metrics = {"accuracy", "negative_log_loss"},
                             .headline = {"accuracy", "log_loss"},
                             .make = [](const std::vector<std::string>&, int64_t,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<MultipleChoice>();
                             }};
  return info;
}

}  // namespace inlay
