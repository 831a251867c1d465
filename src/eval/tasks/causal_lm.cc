// The next token of a text, by the base's own output projection: teaches a language model a domain,
// a task or a manner of answering (Radford et al. 2018, section 3.1).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/task.h"
#include "models/model.h"

namespace inlay {
namespace {

// Of a text: tokens that were to be named, and -log p of them in all.
struct Tally {
  int64_t count = 0;
  double negative_log_probability = 0;
};

Tally tally(const ModelOutput& output) {
  Tally sum;
  for (float loss : output.values) {
    ++sum.count;
    sum.negative_log_probability += static_cast<double>(loss);
  }
  return sum;
}

class CausalLm : public Task {
 public:
  explicit CausalLm(const TaskOptions& options) : model_(*options.model) {}

  int64_t outputs() const override { return model_.facts().hidden; }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    for (const EncodedExample* example : examples) {
      targets.classes.insert(targets.classes.end(), example->answers.begin(),
                             example->answers.end());
    }
    return targets;
  }

  // The tokens that count. At least 1: a batch without any has a loss of 0.
  double loss_weight(ExampleSpan examples) const override {
    double count = 0;
    for (const EncodedExample* example : examples)
      count += static_cast<double>(example->answers.size());
    return std::max(1.0, count);
  }

  Variable loss(Context& context, const Variable& rows, const BatchTargets& targets,
                double normalizer) const override {
    return model_.next_token_loss(context, rows, targets.classes, normalizer);
  }

  // Losses: a row of logits is as long as the vocabulary.
  Variable judged(Context& context, Variable rows, ExampleSpan examples) const override {
    BatchTargets answers = targets(examples);
    return model_.next_token_loss(context, rows, answers.classes, 1);
  }

  Json prediction(const ModelOutput& output) const override {
    Tally sum = tally(output);
    Json prediction{{"tokens", sum.count}, {"log_probability", -sum.negative_log_probability}};
    prediction["perplexity"] =
        sum.count > 0
            ? Json(std::exp(sum.negative_log_probability / static_cast<double>(sum.count)))
            : Json();
    return prediction;
  }

  // The loss is the mean over the tokens of all texts.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<Tally> tallies;
    tallies.reserve(outputs.size());
    for (const ModelOutput& output : outputs) tallies.push_back(tally(output));
    auto total = [&](std::span<const std::size_t> rows) {
      Tally sum;
      for (std::size_t row : rows) {
        sum.count += tallies[row].count;
        sum.negative_log_probability += tallies[row].negative_log_probability;
      }
      return sum;
    };
    auto loss = [&](std::span<const std::size_t> rows) -> std::optional<double> {
      Tally sum = total(rows);
      if (sum.count == 0) return std::nullopt;
      return sum.negative_log_probability / static_cast<double>(sum.count);
    };
    std::vector<std::size_t> all(tallies.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    Json metrics{{"tokens", total(all).count}};
    for (const char* name : {"loss", "negative_loss", "perplexity"}) metrics[name] = Json();
    std::optional<double> mean = loss(all);
    if (!mean.has_value()) return metrics;
    metrics["loss"] = *mean;
    metrics["negative_loss"] = -*mean;
    metrics["perplexity"] = std::exp(*mean);
    std::optional<Interval> interval = bootstrap_interval(tallies.size(), loss, {});
    add_interval(metrics, "loss", interval);
    if (interval.has_value())
      add_interval(metrics, "perplexity",
                   Interval{std::exp(interval->low), std::exp(interval->high)});
    return metrics;
  }

 private:
  const Model& model_;
};

}  // namespace

const TaskInfo& task_causal_lm() {
  static const TaskInfo info{
      .name = "causal-lm",
      .summary = "The next token of texts and conversations, by the base's own output projection.",
      .data = TaskKind::kLanguage,
      .layer = OutputLayer::kNextToken,
      .problem_type = "",
      .peft_type = "CAUSAL_LM",
      .choosing_metrics = {"negative_loss"},
      .headline = {"perplexity", "loss"},
      .make = [](const std::vector<std::string>&, int64_t,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        ensure(options.model != nullptr, "causal-lm is made without a model");
        return std::make_unique<CausalLm>(options);
      }};
  return info;
}

}  // namespace inlay
