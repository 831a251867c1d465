#include "eval/multi_label_task.h"

#include <algorithm>
#include <optional>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/multi_label.h"
#include "eval/optional_figure.h"
#include "eval/probabilities.h"
#include "eval/soft_targets.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

bool is_predicted(float probability) { return probability > 0.5f; }

struct Judged {
  std::vector<uint8_t> truth, predicted;  // (n, labels)
  std::vector<float> scores;              // (n, labels)
  int64_t exact = 0;                      // examples with every label right
};

Judged judge(std::span<const ModelOutput> outputs, std::size_t labels) {
  Judged judged;
  for (const ModelOutput& output : outputs) {
    std::vector<uint8_t> wanted(labels), found(labels);
    for (int32_t label : output.example->source->class_ids)
      wanted[static_cast<std::size_t>(label)] = 1;
    std::vector<float> probabilities = label_probabilities(output.values);
    for (std::size_t c = 0; c < labels; ++c) found[c] = is_predicted(probabilities[c]) ? 1 : 0;
    judged.exact += wanted == found ? 1 : 0;
    judged.truth.insert(judged.truth.end(), wanted.begin(), wanted.end());
    judged.predicted.insert(judged.predicted.end(), found.begin(), found.end());
    judged.scores.insert(judged.scores.end(), probabilities.begin(), probabilities.end());
  }
  return judged;
}

std::vector<PrecisionRecall> counts_per_example(const Judged& judged, std::size_t labels) {
  std::vector<PrecisionRecall> counts(judged.truth.size() / labels);
  for (std::size_t i = 0; i < judged.truth.size(); ++i) {
    PrecisionRecall& example = counts[i / labels];
    example.hits += judged.truth[i] & judged.predicted[i];
    example.support += judged.truth[i];
    example.predicted += judged.predicted[i];
  }
  return counts;
}

// The surest wrong decision about one label; nothing where all are right.
std::optional<double> surest_mistake(std::span<const uint8_t> truth,
                                     std::span<const uint8_t> predicted,
                                     std::span<const float> scores) {
  std::optional<double> surest;
  for (std::size_t c = 0; c < truth.size(); ++c) {
    if (truth[c] == predicted[c]) continue;
    double score = scores[c];
    surest = std::max(surest.value_or(0), predicted[c] != 0 ? score : 1 - score);
  }
  return surest;
}

std::string names_of(const std::vector<std::string>& labels, std::span<const uint8_t> chosen) {
  std::string names;
  for (std::size_t c = 0; c < labels.size(); ++c) {
    if (chosen[c] != 0) names += (names.empty() ? "" : ", ") + labels[c];
  }
  return names.empty() ? "none" : names;
}

}  // namespace

BatchTargets MultiLabelTask::targets(ExampleSpan examples) const {
  BatchTargets targets;
  targets.values = soft_targets(examples, outputs(), [](const Example& example) {
    return std::span<const int32_t>(example.class_ids);
  });
  return targets;
}

double MultiLabelTask::loss_weight(ExampleSpan examples) const {
  return static_cast<double>(examples.size()) * static_cast<double>(outputs());
}

Variable MultiLabelTask::loss(Context& context, const Variable& logits, const BatchTargets& targets,
                              double normalizer) const {
  return binary_cross_entropy(context, logits, targets.values, normalizer);
}

Json MultiLabelTask::prediction(const ModelOutput& output) const {
  std::vector<float> probabilities = label_probabilities(output.values);
  Json json{{"labels", Json::array()}};
  for (std::size_t c = 0; c < labels_.size(); ++c) {
    json["probabilities"][labels_[c]] = probabilities[c];
    if (is_predicted(probabilities[c])) json["labels"].push_back(labels_[c]);
  }
  for (int32_t label : output.example->source->class_ids)
    json["truth"].push_back(labels_[static_cast<std::size_t>(label)]);
  return json;
}

Json MultiLabelTask::metrics(std::span<const ModelOutput> outputs) const {
  Judged judged = judge(outputs, labels_.size());
  std::vector<PrecisionRecall> per_label =
      label_scores(judged.truth, judged.predicted, labels_.size());
  Json metrics{
      {"accuracy", static_cast<double>(judged.exact) / static_cast<double>(outputs.size())},
      {"label_accuracy", label_accuracy(judged.truth, judged.predicted)},
      {"macro_f1", macro_average(per_label).f1},
      {"micro_f1", micro_total(per_label).f1()},
      {"roc_auc",
       figure_or_null(mean_auc(label_aucs(judged.scores, judged.truth, labels_.size())))}};
  add_interval(metrics, "accuracy",
               wilson_interval(judged.exact, static_cast<int64_t>(outputs.size())));
  add_interval(metrics, "micro_f1", f1_interval(counts_per_example(judged, labels_.size())));
  return metrics;
}

Json MultiLabelTask::details(std::span<const ModelOutput> outputs) const {
  Judged judged = judge(outputs, labels_.size());
  Mistakes mistakes;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto row = [&](const auto& all) {
      return std::span(all).subspan(i * labels_.size(), labels_.size());
    };
    std::span<const uint8_t> truth = row(judged.truth), predicted = row(judged.predicted);
    std::optional<double> surest = surest_mistake(truth, predicted, row(judged.scores));
    if (surest.has_value())
      mistakes.add({i, *surest, names_of(labels_, truth), names_of(labels_, predicted), surest});
  }
  Json classes =
      class_details(labels_, label_scores(judged.truth, judged.predicted, labels_.size()));
  std::vector<std::optional<double>> aucs = label_aucs(judged.scores, judged.truth, labels_.size());
  for (std::size_t c = 0; c < labels_.size(); ++c) classes[c]["roc_auc"] = figure_or_null(aucs[c]);
  return {{"classes", classes}, {"mistakes", mistakes.details()}};
}

}  // namespace inlay
