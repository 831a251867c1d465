// The next token of a text, by the base's own output projection: teaches a language model a domain,
// a task or a manner of answering (Radford et al. 2018, section 3.1).
#include <algorithm>

#include "eval/metrics/perplexity.h"
#include "eval/task.h"
#include "eval/wanted_tokens.h"
#include "models/model.h"

namespace inlay {
namespace {

NamedTokens named_in(const ModelOutput& output) {
  NamedTokens named;
  for (float loss : output.values) named.add(static_cast<double>(loss));
  return named;
}

class CausalLm : public Task {
 public:
  explicit CausalLm(const TaskOptions& options) : model_(*options.model) {}

  int64_t outputs() const override { return model_.facts().hidden; }

  BatchTargets targets(ExampleSpan examples) const override {
    return {.classes = wanted_tokens(examples)};
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
    std::vector<int32_t> wanted = wanted_tokens(examples);
    return model_.next_token_loss(context, rows, wanted, 1);
  }

  Json prediction(const ModelOutput& output) const override {
    NamedTokens named = named_in(output);
    Json prediction{{"tokens", named.count}, {"log_probability", -named.negative_log_probability}};
    prediction["perplexity"] = named.count > 0 ? Json(named.perplexity()) : Json();
    return prediction;
  }

  // The loss is the mean over the tokens of all texts.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<NamedTokens> texts;
    texts.reserve(outputs.size());
    int64_t tokens = 0;
    for (const ModelOutput& output : outputs) {
      texts.push_back(named_in(output));
      tokens += texts.back().count;
    }
    Json metrics{{"tokens", tokens}};
    add_perplexity(metrics, texts);
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
