// The stretch of a context that answers a question, by its first and last token (Devlin et al.
// 2018, sections 4.2 and 4.3): the loss is the mean of the cross entropies of start and end over
// the tokens of a window, and the first token stands for "not in this window" (Hugging Face's
// ...ForQuestionAnswering). JudgedAnswer by SQuAD's exact match and F1.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/ops/group_cross_entropy.h"
#include "data/characters.h"
#include "data/encoding.h"
#include "eval/intervals.h"
#include "eval/metrics/answers.h"
#include "eval/statistics.h"
#include "eval/task.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

constexpr std::size_t kLongestAnswer = 30;  // tokens

// The best span of all windows, as it is kept: characters up to 2^24 are exact as floats.
struct Span {
  float begin = 0, end = 0;  // characters of the context; empty: no answer
  float probability = 0;     // of start times end, in its window
  float score = -std::numeric_limits<float>::infinity();  // sum of both logits
};

// Start and end logits of one window, by token.
struct WindowLogits {
  std::span<const float> values;  // (tokens, 2)
  float start(std::size_t token) const { return values[2 * token]; }
  float end(std::size_t token) const { return values[2 * token + 1]; }
  std::size_t tokens() const { return values.size() / 2; }

  double log_sum_exp(std::size_t column) const {
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::size_t t = 0; t < tokens(); ++t) top = std::max(top, double{values[2 * t + column]});
    for (std::size_t t = 0; t < tokens(); ++t) sum += std::exp(values[2 * t + column] - top);
    return top + std::log(sum);
  }
  float probability(float score) const {
    return static_cast<float>(std::exp(score - log_sum_exp(0) - log_sum_exp(1)));
  }
};

// The first of the best spans within the context: start <= end, at most kLongestAnswer tokens.
std::optional<Span> best_in(const WindowLogits& logits, const ContextWindow& window) {
  std::optional<Span> best;
  auto first = static_cast<std::size_t>(window.first);
  for (std::size_t s = 0; s < window.characters.size(); ++s) {
    std::size_t last = std::min(window.characters.size(), s + kLongestAnswer);
    for (std::size_t e = s; e < last; ++e) {
      float score = logits.start(first + s) + logits.end(first + e);
      if (best.has_value() && score <= best->score) continue;
      best = Span{.begin = static_cast<float>(window.characters[s].first),
                  .end = static_cast<float>(window.characters[e].second),
                  .score = score};
    }
  }
  if (best.has_value()) best->probability = logits.probability(best->score);
  return best;
}

std::vector<const TokenSequence*> sequences_of(const EncodedExample& example) {
  std::vector<const TokenSequence*> all{&example.tokens};
  for (const TokenSequence& sequence : example.further) all.push_back(&sequence);
  return all;
}

// What one question says of the model.
struct JudgedAnswer {
  std::string text;
  double exact, f1;
};

class QuestionAnswering : public Task {
 public:
  HeadKind head_kind() const override { return HeadKind::kQuestionAnswering; }
  int64_t outputs() const override { return 2; }

  // Each window is a group of its own.
  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.groups.offsets = {0};
    for (const EncodedExample* example : examples) {
      std::vector<const TokenSequence*> sequences = sequences_of(*example);
      ensure(example->windows.size() == sequences.size(), "{} windows of {} sequences",
             example->windows.size(), sequences.size());
      for (std::size_t w = 0; w < sequences.size(); ++w) {
        targets.groups.offsets.push_back(targets.groups.offsets.back() +
                                         static_cast<int64_t>(sequences[w]->ids.size()));
        const ContextWindow& window = example->windows[w];
        targets.groups.rows.insert(targets.groups.rows.end(),
                                   {window.answer_start, window.answer_end});
      }
    }
    targets.losses = rows_alone(static_cast<int64_t>(targets.groups.offsets.size()) - 1);
    return targets;
  }

  // Starts and ends of all windows.
  double loss_weight(ExampleSpan examples) const override {
    double weight = 0;
    for (const EncodedExample* example : examples)
      weight += 2 * static_cast<double>(example->sequence_count());
    return weight;
  }

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return group_cross_entropy(context, logits, targets.groups, normalizer, &targets.losses);
  }

  // The best span over all windows, or no answer where every window prefers its first token: the
  // least of their scores for none counts, as in the scripts for SQuAD 2.0.
  std::vector<float> kept(const EncodedExample& example,
                          std::span<const float> logits) const override {
    Span best, none{.score = std::numeric_limits<float>::infinity()};
    std::vector<const TokenSequence*> sequences = sequences_of(example);
    for (std::size_t w = 0; w < sequences.size(); ++w) {
      std::size_t count = 2 * sequences[w]->ids.size();
      WindowLogits window{logits.first(count)};
      logits = logits.subspan(count);
      float of_none = window.start(0) + window.end(0);
      if (of_none < none.score)
        none = {.probability = window.probability(of_none), .score = of_none};
      std::optional<Span> found = best_in(window, example.windows[w]);
      if (found.has_value() && found->score > best.score) best = *found;
    }
    const Span& chosen = none.score > best.score ? none : best;
    return {chosen.begin, chosen.end, chosen.probability};
  }

  Json prediction(const ModelOutput& output) const override {
    const Example& source = *output.example->source;
    Json json{{"answer", text_of(output)},
              {"start", static_cast<int64_t>(output.values[0])},
              {"score", output.values[2]}};
    if (json["answer"].get_ref<const std::string&>().empty()) json["start"] = nullptr;
    if (source.answers.has_value()) json["truth"] = truths_of(source);
    return json;
  }

  // Of questions with and without an answer apart, where there are both.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<JudgedAnswer> judged = judge(outputs);
    std::vector<std::size_t> all(outputs.size()), answered, unanswered;
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (std::size_t i : all)
      (outputs[i].example->source->answers->empty() ? unanswered : answered).push_back(i);
    auto exact = [&](std::span<const std::size_t> rows) {
      return mean(judged, rows, &JudgedAnswer::exact);
    };
    auto f1 = [&](std::span<const std::size_t> rows) {
      return mean(judged, rows, &JudgedAnswer::f1);
    };
    Json metrics{{"f1", *f1(all)}, {"exact_match", *exact(all)}};
    auto hits = static_cast<int64_t>(std::lround(*exact(all) * static_cast<double>(all.size())));
    add_interval(metrics, "exact_match", wilson_interval(hits, static_cast<int64_t>(all.size())));
    add_interval(metrics, "f1", bootstrap_interval(all.size(), f1, {}));
    if (answered.empty() || unanswered.empty()) return metrics;
    metrics["answerable_f1"] = *f1(answered);
    metrics["answerable_exact_match"] = *exact(answered);
    metrics["no_answer_accuracy"] = *exact(unanswered);
    return metrics;
  }

  // A question is as bad as the model is sure of a wrong answer.
  Json details(std::span<const ModelOutput> outputs) const override {
    std::vector<JudgedAnswer> judged = judge(outputs);
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (judged[i].exact > 0) continue;
      std::vector<std::string> truths = truths_of(*outputs[i].example->source);
      double probability = outputs[i].values[2];
      mistakes.add({i, probability * (1 - judged[i].f1), truths.empty() ? "no answer" : truths[0],
                    judged[i].text.empty() ? "no answer" : judged[i].text, probability});
    }
    return {{"mistakes", mistakes.details()}};
  }

 private:
  static std::string text_of(const ModelOutput& output) {
    return std::string(trimmed(characters(output.example->source->text_pair,
                                          static_cast<int64_t>(output.values[0]),
                                          static_cast<int64_t>(output.values[1]))));
  }

  static std::vector<std::string> truths_of(const Example& source) {
    std::vector<std::string> truths;
    truths.reserve(source.answers->size());
    for (const Answer& answer : *source.answers) truths.push_back(answer.text);
    return truths;
  }

  static std::vector<JudgedAnswer> judge(std::span<const ModelOutput> outputs) {
    std::vector<JudgedAnswer> judged;
    judged.reserve(outputs.size());
    for (const ModelOutput& output : outputs) {
      std::string text = text_of(output);
      std::vector<std::string> truths = truths_of(*output.example->source);
      judged.push_back({text, exact_match(text, truths), answer_f1(text, truths)});
    }
    return judged;
  }

  static std::optional<double> mean(const std::vector<JudgedAnswer>& judged,
                                    std::span<const std::size_t> rows,
                                    double JudgedAnswer::*figure) {
    double sum = 0;
    for (std::size_t row : rows) sum += judged[row].*figure;
    return sum / static_cast<double>(rows.size());
  }
};

}  // namespace

const TaskInfo& task_question_answering() {
  static const TaskInfo info{
      .name = "question-answering",
      .summary = "The words of a context that answer a question, or that there are none.",
      .data = TaskKind::kQuestionAnswering,
      .problem_type = "",
      .peft_type = "QUESTION_ANS",
      .choosing_metrics = {"f1", "exact_match"},
      .headline = {"f1", "exact_match"},
      .make = [](const std::vector<std::string>&, int64_t, const TaskOptions&)
          -> std::unique_ptr<Task> { return std::make_unique<QuestionAnswering>(); }};
  return info;
}

}  // namespace inlay
