// The hidden tokens of a text, named by the base's own masked-LM head: adapts a base to a domain
// with no labels at all (Devlin et al. 2018, section 3.1; Gururangan et al. 2020), and fills gaps.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/masking.h"
#include "eval/metrics/perplexity.h"
#include "eval/probabilities.h"
#include "eval/task.h"
#include "eval/task_details.h"
#include "eval/wanted_tokens.h"

namespace inlay {
namespace {

constexpr std::size_t kShown = 5;  // tokens that a prediction lists
constexpr uint64_t kEvaluationSeed = 0;

// What is kept of the vocabulary's logits at one place; ids up to 2^24 are exact as floats.
struct Named {
  int32_t place;   // in the tokens
  int32_t answer;  // kIgnoredLabel: nobody knows
  float answer_log_probability;
  std::vector<std::pair<int32_t, float>> best;  // the likeliest ids and their probabilities

  void append_to(std::vector<float>& values) const {
    values.insert(values.end(), {static_cast<float>(place), static_cast<float>(answer),
                                 answer_log_probability, static_cast<float>(best.size())});
    for (const auto& [id, probability] : best)
      values.insert(values.end(), {static_cast<float>(id), probability});
  }
};

std::vector<Named> named_in(const ModelOutput& output) {
  std::vector<Named> all;
  const float* at = output.values.data();
  const float* end = at + output.values.size();
  while (at < end) {
    Named named{static_cast<int32_t>(at[0]), static_cast<int32_t>(at[1]), at[2], {}};
    auto count = static_cast<std::size_t>(at[3]);
    at += 4;
    for (std::size_t i = 0; i < count; ++i, at += 2)
      named.best.emplace_back(static_cast<int32_t>(at[0]), at[1]);
    all.push_back(std::move(named));
  }
  return all;
}

// What texts add to the figures, in their order.
struct Tally {
  std::vector<NamedTokens> named;
  std::vector<int64_t> right;

  // Nothing where no token was hidden.
  std::optional<double> accuracy(std::span<const std::size_t> rows) const {
    int64_t count = 0, hits = 0;
    for (std::size_t row : rows) {
      count += named[row].count;
      hits += right[row];
    }
    if (count == 0) return std::nullopt;
    return static_cast<double>(hits) / static_cast<double>(count);
  }
};

Tally tally(std::span<const ModelOutput> outputs) {
  Tally tally{std::vector<NamedTokens>(outputs.size()), std::vector<int64_t>(outputs.size())};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const Named& named : named_in(outputs[i])) {
      if (named.answer < 0) continue;
      tally.named[i].add(-named.answer_log_probability);
      tally.right[i] += named.best.front().first == named.answer ? 1 : 0;
    }
  }
  return tally;
}

std::vector<std::pair<int32_t, float>> likeliest(std::span<const float> probabilities) {
  std::vector<int32_t> ids(probabilities.size());
  std::iota(ids.begin(), ids.end(), 0);
  auto shown = static_cast<std::ptrdiff_t>(std::min(kShown, ids.size()));
  auto likelier = [&](int32_t a, int32_t b) {
    float of_a = probabilities[static_cast<std::size_t>(a)];
    float of_b = probabilities[static_cast<std::size_t>(b)];
    return of_a > of_b || (of_a == of_b && a < b);
  };
  std::partial_sort(ids.begin(), ids.begin() + shown, ids.end(), likelier);
  std::vector<std::pair<int32_t, float>> best;
  for (std::ptrdiff_t i = 0; i < shown; ++i) {
    int32_t id = ids[static_cast<std::size_t>(i)];
    best.emplace_back(id, probabilities[static_cast<std::size_t>(id)]);
  }
  return best;
}

float log_probability(std::span<const float> logits, int32_t id) {
  double top = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (float logit : logits) sum += std::exp(logit - top);
  return static_cast<float>(logits[static_cast<std::size_t>(id)] - top - std::log(sum));
}

class MaskedLm : public Task {
 public:
  MaskedLm(int64_t vocabulary, const TaskOptions& options)
      : vocabulary_(vocabulary),
        tokenizer_(*options.tokenizer),
        masking_(tokenizer_, vocabulary),
        training_key_(Stream(options.seed, "masked-lm/training").key()),
        evaluation_key_(Stream(kEvaluationSeed, "masked-lm/evaluation").key()) {
    loss_.label_smoothing = options.label_smoothing;
  }

  int64_t outputs() const override { return vocabulary_; }

  std::optional<EncodedExample> posed(const EncodedExample& example,
                                      const Occasion& occasion) const override {
    EncodedExample posed = example;
    MaskedText masked = occasion.kind == Occasion::Kind::kAnswer
                            ? masking_.as_given(example.tokens)
                            : masking_.hide(example.tokens, draw_of(example, occasion));
    if (occasion.kind == Occasion::Kind::kAnswer) require_gap(example, masked);
    posed.tokens = std::move(masked.tokens);
    posed.answers = std::move(masked.answers);
    return posed;
  }

  BatchTargets targets(ExampleSpan examples) const override {
    return {.classes = wanted_tokens(examples)};
  }

  // The hidden tokens. At least 1: a batch of special tokens alone has a loss of 0.
  double loss_weight(ExampleSpan examples) const override {
    return std::max(1.0, cross_entropy_weight(targets(examples).classes, loss_));
  }

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    CrossEntropyOptions options = loss_;
    options.normalizer = normalizer;
    return cross_entropy(context, logits, targets.classes, options);
  }

  std::vector<float> kept(const EncodedExample& example,
                          std::span<const float> logits) const override {
    std::vector<float> values;
    auto width = static_cast<std::size_t>(vocabulary_);
    for (std::size_t i = 0; i < example.tokens.asked.size(); ++i) {
      int32_t place = example.tokens.asked[i], answer = example.answers[i];
      bool gap = example.tokens.ids[static_cast<std::size_t>(place)] == masking_.mask();
      if (answer == kIgnoredLabel && !gap) continue;  // a text of special tokens alone
      std::span<const float> row = logits.subspan(i * width, width);
      Named{place, answer, answer < 0 ? 0.0f : log_probability(row, answer),
            likeliest(class_probabilities(row))}
          .append_to(values);
    }
    return values;
  }

  Json prediction(const ModelOutput& output) const override {
    Json masks = Json::array();
    for (const Named& named : named_in(output)) {
      Json top = Json::array();
      for (const auto& [id, probability] : named.best)
        top.push_back({{"token", text_of(id)}, {"probability", probability}});
      Json mask{{"position", named.place}, {"top", top}};
      if (named.answer >= 0) mask["truth"] = text_of(named.answer);
      masks.push_back(std::move(mask));
    }
    return {{"masks", masks}};
  }

  // The loss is the mean over the hidden tokens of all texts. Its exponential is called perplexity
  // as everywhere, though a masked model gives no probability of whole texts.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    Tally texts = tally(outputs);
    std::vector<std::size_t> all(outputs.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    int64_t hidden = 0;
    for (const NamedTokens& named : texts.named) hidden += named.count;
    Json metrics{{"masked_tokens", hidden}, {"masked_accuracy", nullptr}};
    add_perplexity(metrics, texts.named);
    if (hidden == 0) return metrics;
    auto accuracy = [&](std::span<const std::size_t> rows) { return texts.accuracy(rows); };
    metrics["masked_accuracy"] = accuracy(all).value();
    add_interval(metrics, "masked_accuracy", bootstrap_interval(outputs.size(), accuracy, {}));
    return metrics;
  }

  // A text is as bad as its surest wrong token.
  Json details(std::span<const ModelOutput> outputs) const override {
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      std::optional<Named> worst;
      for (Named& named : named_in(outputs[i])) {
        bool wrong = named.answer >= 0 && named.best.front().first != named.answer;
        if (wrong && (!worst.has_value() || named.best.front().second > worst->best.front().second))
          worst = std::move(named);
      }
      if (!worst.has_value()) continue;
      double probability = worst->best.front().second;
      mistakes.add({i, probability, text_of(worst->answer), text_of(worst->best.front().first),
                    probability});
    }
    return {{"mistakes", mistakes.details()}};
  }

 private:
  MaskingDraw draw_of(const EncodedExample& example, const Occasion& occasion) const {
    auto index = static_cast<uint32_t>(example.index);
    if (occasion.kind == Occasion::Kind::kEvaluation) return {evaluation_key_, 0, index};
    return {training_key_, static_cast<uint32_t>(occasion.epoch), index};
  }

  void require_gap(const EncodedExample& example, const MaskedText& masked) const {
    std::string_view mask = tokenizer_.id_to_token(masking_.mask());
    require(!masked.tokens.asked.empty(), ErrorKind::kInput,
            "line {}: the text has no {}{}; write {} where a token is to be found",
            example.source->line, mask, example.truncated ? " within the longest input" : "", mask);
  }

  std::string text_of(int32_t id) const {
    if (!tokenizer_.has_token(id)) return "";  // rows of the vocabulary that no token uses
    return tokenizer_.decode(std::span(&id, 1), false);
  }

  int64_t vocabulary_;
  const Tokenizer& tokenizer_;
  Masking masking_;
  PhiloxKey training_key_, evaluation_key_;
  CrossEntropyOptions loss_;
};

}  // namespace

const TaskInfo& task_masked_lm() {
  static const TaskInfo info{
      .name = "masked-lm",
      .summary = "Hidden tokens of unlabelled text, by the base's own masked-LM head.",
      .data = TaskKind::kUnlabelled,
      .layer = OutputLayer::kMaskedLm,
      .problem_type = "",
      .peft_type = "FEATURE_EXTRACTION",
      .choosing_metrics = {"negative_loss", "masked_accuracy"},
      .headline = {"masked_accuracy", "perplexity", "loss"},
      .make = [](const std::vector<std::string>&, int64_t outputs,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        ensure(options.tokenizer != nullptr, "masked-lm is made without a tokenizer");
        return std::make_unique<MaskedLm>(outputs, options);
      }};
  return info;
}

}  // namespace inlay
