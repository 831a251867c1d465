// Any number of labels per text, by binary cross entropy of each.
#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/multi_label.h"
#include "eval/probabilities.h"
#include "eval/task.h"
#include "eval/task_details.h"

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

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return binary_cross_entropy(context, logits, targets.values, normalizer);
  }

  Json prediction(const ModelOutput& output) const override {
    std::vector<float> probabilities = label_probabilities(output.values);
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
    Judged judged = judge(outputs);
    std::vector<PrecisionRecall> per_label =
        label_scores(judged.truth, judged.predicted, labels_.size());
    Json metrics{
        {"accuracy", static_cast<double>(judged.exact) / static_cast<double>(outputs.size())},
        {"macro_f1", macro_average(per_label).f1},
        {"micro_f1", micro_total(per_label).f1()},
        {"roc_auc", mean_auc(judged.scores, judged.truth)}};
    add_interval(metrics, "accuracy",
                 wilson_interval(judged.exact, static_cast<int64_t>(outputs.size())));
    add_interval(metrics, "micro_f1",
                 f1_interval(counts_per_example(judged.truth, judged.predicted)));
    return metrics;
  }

  // An example is as bad as its surest wrong decision about one label.
  Json details(std::span<const ModelOutput> outputs) const override {
    Judged judged = judge(outputs);
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      auto row = [&](const auto& all) {
        return std::span(all).subspan(i * labels_.size(), labels_.size());
      };
      std::span<const uint8_t> truth = row(judged.truth), predicted = row(judged.predicted);
      double surest = -1;
      for (std::size_t c = 0; c < labels_.size(); ++c) {
        double score = row(judged.scores)[c];
        if (truth[c] != predicted[c])
          surest = std::max(surest, predicted[c] != 0 ? score : 1 - score);
      }
      if (surest >= 0) mistakes.add({i, surest, names_of(truth), names_of(predicted), surest});
    }
    auto scores = label_scores(judged.truth, judged.predicted, labels_.size());
    return {{"classes", class_details(labels_, scores)}, {"mistakes", mistakes.details()}};
  }

 private:
  struct Judged {
    std::vector<uint8_t> truth, predicted;  // (n, labels)
    std::vector<float> scores;              // (n, labels)
    int64_t exact = 0;                      // examples with every label right
  };

  Judged judge(std::span<const ModelOutput> outputs) const {
    Judged judged;
    for (const ModelOutput& output : outputs) {
      std::vector<uint8_t> wanted(labels_.size()), found(labels_.size());
      for (int32_t label : output.example->source->class_ids)
        wanted[static_cast<std::size_t>(label)] = 1;
      std::vector<float> probabilities = label_probabilities(output.values);
      for (std::size_t c = 0; c < labels_.size(); ++c) found[c] = probabilities[c] >= 0.5f ? 1 : 0;
      judged.exact += wanted == found ? 1 : 0;
      judged.truth.insert(judged.truth.end(), wanted.begin(), wanted.end());
      judged.predicted.insert(judged.predicted.end(), found.begin(), found.end());
      judged.scores.insert(judged.scores.end(), probabilities.begin(), probabilities.end());
    }
    return judged;
  }

  std::string names_of(std::span<const uint8_t> chosen) const {
    std::string names;
    for (std::size_t c = 0; c < labels_.size(); ++c) {
      if (chosen[c] != 0) names += (names.empty() ? "" : ", ") + labels_[c];
    }
    return names.empty() ? "none" : names;
  }

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
                             .headline = {"accuracy", "macro_f1", "micro_f1", "roc_auc"},
                             .make = [](const std::vector<std::string>& classes, int64_t,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<MultiLabelClassification>(classes);
                             }};
  return info;
}

}  // namespace inlay
