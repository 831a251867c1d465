// Any number of labels per text, by binary cross entropy of each.
#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/multi_label.h"
#include "eval/probabilities.h"
#include "eval/task.h"

namespace inlay {
namespace {

class MultiLabelClassification : public Task {
 public:
  explicit MultiLabelClassification(std::vector<std::string> labels) : labels_(std::move(labels)) {}

  int64_t outputs() const override { return static_cast<int64_t>(labels_.size()); }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.values = Tensor::zeros({static_cast<int64_t>(examples.size()), outputs()}, DType::kF32);
    auto* row = targets.values.mutable_data<float>();
    for (const EncodedExample* example : examples) {
      for (int32_t label : example->source->class_ids) row[label] = 1.0f;
      row += outputs();
    }
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size()) * static_cast<double>(outputs());
  }

  Variable loss(OpContext& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return binary_cross_entropy(context, logits, targets.values, normalizer);
  }

  Json prediction(const ModelOutput& output) const override {
    std::vector<float> probabilities = label_probabilities(output.logits);
    Json json{{"labels", Json::array()}};
    for (std::size_t c = 0; c < labels_.size(); ++c) {
      json["probabilities"][labels_[c]] = probabilities[c];
      if (probabilities[c] >= 0.5f) json["labels"].push_back(labels_[c]);
    }
    for (int32_t label : output.example->source->class_ids)
      json["truth"].push_back(labels_[static_cast<std::size_t>(label)]);
    return json;
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<uint8_t> truth, predicted;
    std::vector<float> scores;
    int64_t exact = 0;
    for (const ModelOutput& output : outputs) {
      std::vector<uint8_t> wanted(labels_.size()), found(labels_.size());
      for (int32_t label : output.example->source->class_ids)
        wanted[static_cast<std::size_t>(label)] = 1;
      std::vector<float> probabilities = label_probabilities(output.logits);
      for (std::size_t c = 0; c < labels_.size(); ++c) found[c] = probabilities[c] >= 0.5f ? 1 : 0;
      exact += wanted == found ? 1 : 0;
      truth.insert(truth.end(), wanted.begin(), wanted.end());
      predicted.insert(predicted.end(), found.begin(), found.end());
      scores.insert(scores.end(), probabilities.begin(), probabilities.end());
    }
    std::vector<PrecisionRecall> per_label = label_scores(truth, predicted, labels_.size());
    Json metrics{{"accuracy", static_cast<double>(exact) / static_cast<double>(outputs.size())},
                 {"macro_f1", macro_average(per_label).f1},
                 {"micro_f1", micro_total(per_label).f1()},
                 {"roc_auc", mean_auc(scores, truth)}};
    add_interval(metrics, "accuracy", wilson_interval(exact, static_cast<int64_t>(outputs.size())));
    add_interval(metrics, "micro_f1", f1_interval(counts_per_example(truth, predicted)));
    return metrics;
  }

 private:
  std::vector<PrecisionRecall> counts_per_example(const std::vector<uint8_t>& truth,
                                                  const std::vector<uint8_t>& predicted) const {
    std::vector<PrecisionRecall> counts(truth.size() / labels_.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
      PrecisionRecall& example = counts[i / labels_.size()];
      example.hits += truth[i] & predicted[i];
      example.support += truth[i];
      example.predicted += predicted[i];
    }
    return counts;
  }

  Json mean_auc(const std::vector<float>& scores, const std::vector<uint8_t>& truth) const {
    double sum = 0;
    int count = 0;
    for (const std::optional<double>& area : label_aucs(scores, truth, labels_.size())) {
      if (!area.has_value()) continue;
      sum += *area;
      ++count;
    }
    return count == 0 ? Json() : Json(sum / count);
  }

  std::vector<std::string> labels_;
};

}  // namespace

const TaskInfo& task_multi_label_classification() {
  static const TaskInfo info{.name = "multi-label-classification",
                             .summary = "Any number of labels per text.",
                             .data = TaskKind::kMultiLabel,
                             .problem_type = "multi_label_classification",
                             .peft_type = "SEQ_CLS",
                             .choosing_metrics = {"micro_f1", "macro_f1", "accuracy", "roc_auc"},
                             .make = [](const std::vector<std::string>& classes, int64_t,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<MultiLabelClassification>(classes);
                             }};
  return info;
}

}  // namespace inlay
