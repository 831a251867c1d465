#include "eval/single_label_task.h"

#include "eval/metrics/calibration.h"
#include "eval/metrics/classification.h"
#include "eval/metrics/ranking.h"
#include "eval/probabilities.h"
#include "eval/soft_targets.h"
#include "eval/statistics.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

struct Judged {
  std::vector<int32_t> truth, predicted;
  std::vector<float> probabilities;  // (n, classes)
  std::vector<float> confidences;
  std::vector<uint8_t> right;
};

Judged judge(std::span<const ModelOutput> outputs) {
  Judged judged;
  for (const ModelOutput& output : outputs) {
    std::vector<float> probabilities = class_probabilities(output.values);
    int32_t best = largest(probabilities);
    judged.truth.push_back(output.example->source->class_id);
    judged.predicted.push_back(best);
    judged.confidences.push_back(probabilities[static_cast<std::size_t>(best)]);
    judged.right.push_back(best == output.example->source->class_id ? 1 : 0);
    judged.probabilities.insert(judged.probabilities.end(), probabilities.begin(),
                                probabilities.end());
  }
  return judged;
}

std::optional<double> auc(const Judged& judged, std::size_t classes) {
  if (classes != 2) return roc_auc_one_vs_rest(judged.probabilities, judged.truth, classes);
  std::vector<float> scores;
  std::vector<uint8_t> positive;
  for (std::size_t i = 0; i < judged.truth.size(); ++i) {
    scores.push_back(judged.probabilities[2 * i + 1]);
    positive.push_back(judged.truth[i] == 1 ? 1 : 0);
  }
  return roc_auc(scores, positive);
}

}  // namespace

SingleLabelTask::SingleLabelTask(std::vector<std::string> classes, const TaskOptions& options)
    : classes_(std::move(classes)), mixes_(options.augmentation.mixes()) {
  bool weighs = options.label_smoothing > 0 || !options.class_weights.empty();
  require(!mixes_ || !weighs, ErrorKind::kUsage,
          "mixup and cutmix make targets of two classes, which label_smoothing and class_weights "
          "are not defined for; leave out the one or the other");
  loss_.label_smoothing = options.label_smoothing;
  if (!options.class_weights.empty()) {
    loss_.class_weights = Tensor::of<float>({outputs()}, options.class_weights);
  }
}

BatchTargets SingleLabelTask::targets(ExampleSpan examples) const {
  BatchTargets targets;
  if (mixes_) {
    targets.values = soft_targets(examples, outputs(), [](const Example& example) {
      return std::span<const int32_t>(&example.class_id, 1);
    });
    return targets;
  }
  targets.classes.reserve(examples.size());
  for (const EncodedExample* example : examples)
    targets.classes.push_back(example->source->class_id);
  return targets;
}

double SingleLabelTask::loss_weight(ExampleSpan examples) const {
  if (mixes_) return static_cast<double>(examples.size());
  return cross_entropy_weight(targets(examples).classes, loss_);
}

Variable SingleLabelTask::loss(Context& context, const Variable& logits,
                               const BatchTargets& targets, double normalizer) const {
  if (mixes_) return soft_cross_entropy(context, logits, targets.values, normalizer);
  CrossEntropyOptions options = loss_;
  options.normalizer = normalizer;
  return cross_entropy(context, logits, targets.classes, options);
}

Json SingleLabelTask::prediction(const ModelOutput& output) const {
  std::vector<float> probabilities = class_probabilities(output.values);
  Json json{{"label", classes_[static_cast<std::size_t>(largest(probabilities))]}};
  for (std::size_t c = 0; c < classes_.size(); ++c)
    json["probabilities"][classes_[c]] = probabilities[c];
  int32_t truth = output.example->source->class_id;
  if (truth >= 0) json["truth"] = classes_[static_cast<std::size_t>(truth)];
  return json;
}

Json SingleLabelTask::metrics(std::span<const ModelOutput> outputs) const {
  Judged judged = judge(outputs);
  ConfusionMatrix matrix = confusion_matrix(judged.truth, judged.predicted, classes_.size());
  int64_t hits = 0;
  for (uint8_t right : judged.right) hits += right;
  Interval interval = wilson_interval(hits, matrix.total());
  std::optional<double> area = auc(judged, classes_.size());
  return {{"accuracy", accuracy(matrix)},
          {"accuracy_interval", {interval.low, interval.high}},
          {"macro_f1", macro_f1(matrix)},
          {"micro_f1", micro_f1(matrix)},
          {"mcc", mcc(matrix)},
          {"roc_auc", area.has_value() ? Json(*area) : Json()},
          {"log_loss", log_loss(judged.probabilities, judged.truth, classes_.size())},
          {"calibration_error", expected_calibration_error(judged.confidences, judged.right)}};
}

Json SingleLabelTask::details(std::span<const ModelOutput> outputs) const {
  Judged judged = judge(outputs);
  ConfusionMatrix matrix = confusion_matrix(judged.truth, judged.predicted, classes_.size());
  Mistakes mistakes;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (judged.right[i] != 0) continue;
    mistakes.add({i, judged.confidences[i], classes_[static_cast<std::size_t>(judged.truth[i])],
                  classes_[static_cast<std::size_t>(judged.predicted[i])], judged.confidences[i]});
  }
  double error = expected_calibration_error(judged.confidences, judged.right);
  return {{"confusion", confusion_details(classes_, matrix)},
          {"classes", class_details(classes_, class_scores(matrix))},
          {"calibration", calibration_details(judged.confidences, judged.right, error)},
          {"mistakes", mistakes.details()}};
}

}  // namespace inlay
