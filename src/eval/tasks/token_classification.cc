// One tag per word, by cross entropy over the first token of each word; judged by whole entities.
#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/classification.h"
#include "eval/metrics/entities.h"
#include "eval/probabilities.h"
#include "eval/task.h"

namespace inlay {
namespace {

class TokenClassification : public Task {
 public:
  TokenClassification(std::vector<std::string> tags, const TaskOptions& options)
      : tags_(std::move(tags)) {
    loss_.label_smoothing = options.label_smoothing;
  }

  HeadKind head_kind() const override { return HeadKind::kTokenClassification; }
  int64_t outputs() const override { return static_cast<int64_t>(tags_.size()); }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    for (const EncodedExample* example : examples) {
      targets.classes.insert(targets.classes.end(), example->token_tags.begin(),
                             example->token_tags.end());
    }
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return cross_entropy_weight(targets(examples).classes, loss_);
  }

  Variable loss(OpContext& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    CrossEntropyOptions options = loss_;
    options.normalizer = normalizer;
    return cross_entropy(context, logits, targets.classes, options);
  }

  Json prediction(const ModelOutput& output) const override {
    const Example& source = *output.example->source;
    Json json{{"words", source.words}, {"tags", Json::array()}, {"probabilities", Json::array()}};
    for (std::span<const float> logits : word_logits(output)) {
      if (logits.empty()) {
        json["tags"].push_back(nullptr);
        json["probabilities"].push_back(nullptr);
        continue;
      }
      std::vector<float> probabilities = class_probabilities(logits);
      auto tag = static_cast<std::size_t>(largest(probabilities));
      json["tags"].push_back(tags_[tag]);
      json["probabilities"].push_back(probabilities[tag]);
    }
    for (int32_t tag : source.tag_ids)
      json["truth"].push_back(tags_[static_cast<std::size_t>(tag)]);
    return json;
  }

  // A word lost to truncation counts as tagged "O" where there is such a tag, as the first tag
  // otherwise.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    int32_t missing = 0;
    for (std::size_t i = 0; i < tags_.size(); ++i)
      missing = tags_[i] == "O" ? static_cast<int32_t>(i) : missing;
    std::vector<std::vector<int32_t>> truth, predicted;
    std::vector<int32_t> flat_truth, flat_predicted;
    for (const ModelOutput& output : outputs) {
      std::vector<int32_t> tags = word_tags(output);
      for (int32_t& tag : tags) tag = tag < 0 ? missing : tag;
      truth.push_back(output.example->source->tag_ids);
      flat_truth.insert(flat_truth.end(), truth.back().begin(), truth.back().end());
      flat_predicted.insert(flat_predicted.end(), tags.begin(), tags.end());
      predicted.push_back(std::move(tags));
    }
    EntityScores entities = entity_scores(tags_, truth, predicted);
    ConfusionMatrix matrix = confusion_matrix(flat_truth, flat_predicted, tags_.size());
    Json metrics{{"entity_f1", entities.total.f1()},
                 {"entity_precision", entities.total.precision()},
                 {"entity_recall", entities.total.recall()},
                 {"accuracy", accuracy(matrix)},
                 {"macro_f1", macro_f1(matrix)}};
    add_interval(metrics, "entity_f1", f1_interval(counts_per_example(truth, predicted)));
    return metrics;
  }

 private:
  std::vector<PrecisionRecall> counts_per_example(
      const std::vector<std::vector<int32_t>>& truth,
      const std::vector<std::vector<int32_t>>& predicted) const {
    std::vector<PrecisionRecall> counts;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      counts.push_back(entity_scores(tags_, {&truth[i], 1}, {&predicted[i], 1}).total);
    }
    return counts;
  }

  // The logits of each word's first token; empty for words that were cut off.
  std::vector<std::span<const float>> word_logits(const ModelOutput& output) const {
    std::vector<std::span<const float>> rows(output.example->source->words.size());
    const std::vector<int32_t>& words = output.example->word_of_token;
    for (std::size_t t = 0; t < words.size(); ++t) {
      if (words[t] < 0 || !rows[static_cast<std::size_t>(words[t])].empty()) continue;
      rows[static_cast<std::size_t>(words[t])] = {output.logits.data() + t * tags_.size(),
                                                  tags_.size()};
    }
    return rows;
  }

  // The predicted tag of each word, -1 for words that were cut off.
  std::vector<int32_t> word_tags(const ModelOutput& output) const {
    std::vector<int32_t> tags;
    for (std::span<const float> logits : word_logits(output))
      tags.push_back(logits.empty() ? -1 : largest(logits));
    return tags;
  }

  std::vector<std::string> tags_;
  CrossEntropyOptions loss_;
};

}  // namespace

const TaskInfo& task_token_classification() {
  static const TaskInfo info{.name = "token-classification",
                             .summary = "One tag per word, as in named entity recognition.",
                             .data = TaskKind::kTokenTags,
                             .problem_type = "",
                             .peft_type = "TOKEN_CLS",
                             .choosing_metrics = {"entity_f1", "entity_precision", "entity_recall",
                                                  "accuracy", "macro_f1"},
                             .make = [](const std::vector<std::string>& classes, int64_t,
                                        const TaskOptions& options) -> std::unique_ptr<Task> {
                               return std::make_unique<TokenClassification>(classes, options);
                             }};
  return info;
}

}  // namespace inlay
