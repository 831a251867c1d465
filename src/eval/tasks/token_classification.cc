// One tag per word, by cross entropy over the first token of each word; judged by whole entities.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/classification.h"
#include "eval/metrics/entities.h"
#include "eval/probabilities.h"
#include "eval/task.h"
#include "eval/task_details.h"

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

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
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

  Json metrics(std::span<const ModelOutput> outputs) const override {
    Judged judged = judge(outputs);
    EntityScores entities = entity_scores(tags_, judged.truth, judged.predicted);
    ConfusionMatrix matrix = confusion_of(judged);
    Json metrics{{"entity_f1", entities.total.f1()},
                 {"entity_precision", entities.total.precision()},
                 {"entity_recall", entities.total.recall()},
                 {"accuracy", accuracy(matrix)},
                 {"macro_f1", macro_f1(matrix)}};
    add_interval(metrics, "entity_f1",
                 f1_interval(counts_per_example(judged.truth, judged.predicted)));
    return metrics;
  }

  // Classes are the types of entities; confusion is between the tags of words. A sentence is as bad
  // as its surest wrong word.
  Json details(std::span<const ModelOutput> outputs) const override {
    Judged judged = judge(outputs);
    EntityScores entities = entity_scores(tags_, judged.truth, judged.predicted);
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) add_mistake(mistakes, judged, i, outputs[i]);
    return {{"confusion", confusion_details(tags_, confusion_of(judged))},
            {"classes", class_details(entities.types, entities.by_type)},
            {"mistakes", mistakes.details()}};
  }

 private:
  // Per example and word.
  struct Judged {
    std::vector<std::vector<int32_t>> truth, predicted;
    std::vector<std::vector<float>> sure;  // the probability of the predicted tag
  };

  // A word lost to truncation counts as tagged "O" where there is such a tag, as the first tag
  // otherwise.
  Judged judge(std::span<const ModelOutput> outputs) const {
    auto outside = std::find(tags_.begin(), tags_.end(), "O");
    auto missing = outside == tags_.end() ? 0 : static_cast<int32_t>(outside - tags_.begin());
    Judged judged;
    for (const ModelOutput& output : outputs) {
      judged.truth.push_back(output.example->source->tag_ids);
      auto& tags = judged.predicted.emplace_back();
      auto& sure = judged.sure.emplace_back();
      for (std::span<const float> logits : word_logits(output)) {
        tags.push_back(logits.empty() ? missing : largest(logits));
        sure.push_back(logits.empty()
                           ? 0
                           : class_probabilities(logits)[static_cast<std::size_t>(tags.back())]);
      }
    }
    return judged;
  }

  void add_mistake(Mistakes& mistakes, const Judged& judged, std::size_t i,
                   const ModelOutput& output) const {
    const std::vector<int32_t>&truth = judged.truth[i], &predicted = judged.predicted[i];
    const std::vector<float>& sure = judged.sure[i];
    std::optional<std::size_t> worst;
    for (std::size_t w = 0; w < truth.size(); ++w) {
      bool wrong = truth[w] != predicted[w];
      if (wrong && (!worst.has_value() || sure[w] > sure[*worst])) worst = w;
    }
    if (!worst.has_value()) return;
    mistakes.add({i, sure[*worst],
                  fmt::format("{} as {}", output.example->source->words[*worst],
                              tags_[static_cast<std::size_t>(truth[*worst])]),
                  tags_[static_cast<std::size_t>(predicted[*worst])], sure[*worst]});
  }

  ConfusionMatrix confusion_of(const Judged& judged) const {
    std::vector<int32_t> truth, predicted;
    for (const auto& tags : judged.truth) truth.insert(truth.end(), tags.begin(), tags.end());
    for (const auto& tags : judged.predicted)
      predicted.insert(predicted.end(), tags.begin(), tags.end());
    return confusion_matrix(truth, predicted, tags_.size());
  }

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
      rows[static_cast<std::size_t>(words[t])] = {output.values.data() + t * tags_.size(),
                                                  tags_.size()};
    }
    return rows;
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
                             .headline = {"entity_f1", "accuracy", "macro_f1"},
                             .make = [](const std::vector<std::string>& classes, int64_t,
                                        const TaskOptions& options) -> std::unique_ptr<Task> {
                               return std::make_unique<TokenClassification>(classes, options);
                             }};
  return info;
}

}  // namespace inlay
