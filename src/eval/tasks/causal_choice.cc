// The right one of several choices by a language model alone, without a head: the choice whose
// tokens are the likeliest after the question (Brown et al. 2020, arXiv:2005.14165, section 2.4).
// The figures are those of EleutherAI's lm-evaluation-harness: `accuracy` is its acc, by the sum of
// the log-probabilities; `accuracy_normalised` its acc_norm, by that sum over the choice's length
// in characters (code points), without the space before it.
#include <algorithm>

#include "data/characters.h"
#include "eval/intervals.h"
#include "eval/task.h"
#include "eval/wanted_tokens.h"
#include "models/model.h"

namespace inlay {
namespace {

// By choice: log p of its tokens after the question, and that by character.
struct Scores {
  std::vector<double> sums, normalised;
};

// `values` are -log p of every token asked about.
Scores scores_of(const ModelOutput& output) {
  const EncodedExample& example = *output.example;
  Scores scores;
  std::size_t next = 0;
  for (std::size_t i = 0; i < example.sequence_count(); ++i) {
    const TokenSequence& sequence = i == 0 ? example.tokens : example.further[i - 1];
    double sum = 0;
    for (std::size_t t = 0; t < sequence.asked.size(); ++t)
      sum -= static_cast<double>(output.values[next++]);
    scores.sums.push_back(sum);
    scores.normalised.push_back(sum /
                                static_cast<double>(character_count(example.source->further[i])));
  }
  return scores;
}

// The first on ties.
int32_t best_of(const std::vector<double>& scores) {
  return static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

class CausalChoice : public Task {
 public:
  explicit CausalChoice(const Model& model) : model_(model) {}

  int64_t outputs() const override { return model_.facts().hidden; }

  // Losses: a row of logits is as long as the vocabulary.
  Variable judged(Context& context, Variable rows, ExampleSpan examples) const override {
    std::vector<int32_t> wanted = wanted_tokens(examples);
    return model_.next_token_loss(context, rows, wanted, 1);
  }

  BatchTargets targets(ExampleSpan) const override { refuse(); }
  double loss_weight(ExampleSpan) const override { refuse(); }
  Variable loss(Context&, const Variable&, const BatchTargets&, double) const override { refuse(); }

  Json prediction(const ModelOutput& output) const override {
    const Example& source = *output.example->source;
    Scores scores = scores_of(output);
    int32_t best = best_of(scores.sums);
    Json json{{"choice", source.further[static_cast<std::size_t>(best)]},
              {"label", best},
              {"label_normalised", best_of(scores.normalised)},
              {"log_probabilities", scores.sums}};
    if (source.class_id >= 0) json["truth"] = source.class_id;
    return json;
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<uint8_t> right, right_normalised;
    double chance = 0;
    for (const ModelOutput& output : outputs) {
      Scores scores = scores_of(output);
      int32_t truth = output.example->source->class_id;
      right.push_back(best_of(scores.sums) == truth ? 1 : 0);
      right_normalised.push_back(best_of(scores.normalised) == truth ? 1 : 0);
      chance += 1 / static_cast<double>(scores.sums.size());
    }
    Json metrics{{"chance_accuracy", chance / static_cast<double>(outputs.size())}};
    add_share(metrics, "accuracy", right);
    add_share(metrics, "accuracy_normalised", right_normalised);
    return metrics;
  }

 private:
  // With its interval.
  static void add_share(Json& metrics, const std::string& name, const std::vector<uint8_t>& right) {
    auto share = [&](std::span<const std::size_t> rows) -> std::optional<double> {
      int64_t hits = 0;
      for (std::size_t row : rows) hits += right[row];
      return static_cast<double>(hits) / static_cast<double>(rows.size());
    };
    metrics[name] = static_cast<double>(std::count(right.begin(), right.end(), uint8_t{1})) /
                    static_cast<double>(right.size());
    add_interval(metrics, name, bootstrap_interval(right.size(), share, {}));
  }

  // Unreachable behind require_trainable().
  [[noreturn]] static void refuse() {
    fail(ErrorKind::kInternal, "causal-choice was asked for a loss");
  }

  const Model& model_;
};

}  // namespace

const TaskInfo& task_causal_choice() {
  static const TaskInfo info{
      .name = "causal-choice",
      .summary = "The right one of several choices, the likeliest after its question; no head.",
      .data = TaskKind::kMultipleChoice,
      .layer = OutputLayer::kNextToken,
      .trainable = false,
      .problem_type = "",
      .peft_type = "CAUSAL_LM",
      .choosing_metrics = {},
      .headline = {"accuracy", "accuracy_normalised"},
      .make = [](const std::vector<std::string>&, int64_t,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        ensure(options.model != nullptr, "causal-choice is made without a model");
        return std::make_unique<CausalChoice>(*options.model);
      }};
  return info;
}

}  // namespace inlay
