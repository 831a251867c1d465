#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/units.h"
#include "check/parts.h"
#include "eval/batch_pass.h"

namespace inlay {
namespace {

// Tokens of the heaviest of the runs of so many examples that a batch is cut into.
int64_t heaviest_run(const std::vector<const EncodedExample*>& batch, std::size_t examples) {
  int64_t heaviest = 0, tokens = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (i % examples == 0) tokens = 0;
    tokens += batch[i]->token_count();
    heaviest = std::max(heaviest, tokens);
  }
  return heaviest;
}

// Tokens of the heaviest micro-batch that training will draw: its order is known.
struct Heaviest {
  int64_t most = 0;   // where memory is not short
  int64_t least = 0;  // however short it is
};

Heaviest heaviest_micro_batch(const CheckSubject& subject, const ProbeCost& cost) {
  bool counted = subject.micro_batch > 0 && !cost.whole_batches;
  auto chunk = static_cast<std::size_t>(cost.chunk);
  auto examples = std::max(chunk, static_cast<std::size_t>(subject.micro_batch) / chunk * chunk);
  Heaviest tokens;
  for (int64_t epoch = 0; epoch < subject.epochs; ++epoch) {
    for (const auto& batch : batches_of_epoch(subject.train, subject.plan, epoch)) {
      int64_t most = heaviest_run(batch, counted ? examples : batch.size());
      tokens.most = std::max(tokens.most, most);
      tokens.least = std::max(tokens.least, heaviest_run(batch, chunk));
    }
  }
  if (counted || cost.whole_batches) return {tokens.most, tokens.most};
  int64_t limit = subject.micro_batch_tokens > 0 ? subject.micro_batch_tokens : kMicroBatchTokens;
  return {std::min(tokens.most, std::max(limit, tokens.least)), tokens.least};
}

// Fewer tokens at a time make products slow.
constexpr int64_t kFewTokens = 1024;

// Ways to take steps, in the order in which they are looked at: micro-batches of many tokens in
// every mode, then such as hold the heaviest chunk alone.
std::vector<MemoryPlan> plans(const CheckSubject& subject, const Heaviest& heaviest) {
  auto [most, least] = heaviest;
  std::vector<int64_t> many{most}, few;
  if (subject.micro_batch_tokens == 0) {
    for (int64_t tokens = kMicroBatchTokens / 2; tokens >= kFewTokens; tokens /= 2) {
      if (tokens < most && tokens > least) many.push_back(tokens);
    }
    if (least < most) (least < kFewTokens ? few : many).push_back(least);
  }
  std::vector<MemoryPlan> plans;
  for (const std::vector<int64_t>& choices : {many, few}) {
    for (MemoryMode mode : kMemoryModes) {
      if (mode != subject.memory.value_or(mode)) continue;
      for (int64_t tokens : choices) plans.push_back({mode, tokens});
    }
  }
  return plans;
}

// A way of taking steps, and what the whole run then takes.
struct Candidate {
  MemoryPlan plan;
  uint64_t fixed, activations, training;

  uint64_t whole() const { return fixed + activations + training; }
  std::string text() const {
    return fmt::format("{} with {} tokens at a time {}", memory_mode_name(plan.mode),
                       format_count(plan.micro_batch_tokens), format_bytes(whole()));
  }
};

// Measures modes as they are asked for.
class Forecast {
 public:
  Forecast(const CheckSubject& subject, const ProbeCost& cost) : subject_(subject), cost_(cost) {
    steps_[step_way(cost.mode).recompute] = cost.step;
    fixed_ = cost.resident_bytes - std::min(cost.resident_bytes, cost.step.bytes);
    fixed_ += table_bytes(subject.model.facts()) + kFurtherBytes;
  }

  Candidate of(const MemoryPlan& plan) {
    bool recompute = step_way(plan.mode).recompute;
    std::optional<StepMemory>& step = steps_[recompute];
    if (!step.has_value()) {
      Learner learner = subject_.fresh();
      // Nothing is packed that the trial did not pack.
      step = measure_step(subject_, learner, {recompute, step_way(cost_.mode).weights});
    }
    // Two moments and the best values; gradients are among the activations.
    return {plan, fixed_in(plan.mode, cost_.mode, fixed_, cost_.weights),
            step->at(plan.micro_batch_tokens), 3 * cost_.trained_bytes};
  }

 private:
  const CheckSubject& subject_;
  const ProbeCost& cost_;
  std::array<std::optional<StepMemory>, 2> steps_;  // of steps that keep all, and that recompute
  uint64_t fixed_;
};

// All that were looked at, the chosen one last: the first that fits, or else the smallest.
std::vector<Candidate> candidates(const CheckSubject& subject, const ProbeCost& cost,
                                  const Heaviest& heaviest, uint64_t limit) {
  Forecast forecast(subject, cost);
  std::vector<Candidate> seen;
  for (const MemoryPlan& plan : plans(subject, heaviest)) {
    seen.push_back(forecast.of(plan));
    if (seen.back().whole() <= limit) return seen;
  }
  auto least = std::min_element(seen.begin(), seen.end(),
                                [](const auto& a, const auto& b) { return a.whole() < b.whole(); });
  std::iter_swap(least, seen.end() - 1);
  return seen;
}

struct MemoryPart {
  const char* name;
  uint64_t bytes;
  const char* lever;
};

std::array<MemoryPart, 3> parts_of(const Candidate& candidate) {
  return {MemoryPart{"base, tokenizer, data, program", candidate.fixed,
                     "a smaller base, or a quantised one (quantise=int8 or nf4)"},
          MemoryPart{"activations of a step", candidate.activations, "a smaller max_length"},
          MemoryPart{"optimizer and best values", candidate.training, "a method that trains less"}};
}

Json plan_json(const std::vector<Candidate>& seen) {
  Json plan = Json::array();
  for (const Candidate& candidate : seen) {
    plan.push_back({{"memory", memory_mode_name(candidate.plan.mode)},
                    {"micro_batch_tokens", candidate.plan.micro_batch_tokens},
                    {"forecast_bytes", candidate.whole()}});
  }
  return plan;
}

}  // namespace

uint64_t memory_limit(const CheckSubject& subject) {
  return subject.memory_limit > 0 ? subject.memory_limit
                                  : available_memory_bytes() + current_rss_bytes();
}

MemoryPlan check_memory(const CheckSubject& subject, const ProbeCost& cost, Findings& findings) {
  uint64_t limit = memory_limit(subject);
  Heaviest heaviest = heaviest_micro_batch(subject, cost);
  std::vector<Candidate> seen = candidates(subject, cost, heaviest, limit);
  const Candidate& chosen = seen.back();
  std::array<MemoryPart, 3> parts = parts_of(chosen);
  const MemoryPart& largest =
      *std::max_element(parts.begin(), parts.end(),
                        [](const MemoryPart& a, const MemoryPart& b) { return a.bytes < b.bytes; });
  Json breakdown = Json::object();
  std::string list;
  for (const MemoryPart& part : parts) {
    breakdown[part.name] = part.bytes;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", format_bytes(part.bytes), part.name);
  }
  bool fits = chosen.whole() <= limit;
  std::string text =
      fmt::format("about {} ({}) of {}", format_bytes(chosen.whole()), list, format_bytes(limit));
  if (fits && seen.size() > 1) {
    text += fmt::format("; to fit, memory is {} and {} tokens are computed at a time",
                        memory_mode_name(chosen.plan.mode),
                        format_count(chosen.plan.micro_batch_tokens));
  }
  if (!fits) {
    for (const Candidate& candidate : seen) text += "\n        " + candidate.text();
    text += fmt::format("\n        the largest lever: {}", largest.lever);
  }
  findings.push_back({"C-8",
                      fits ? Severity::kInfo : Severity::kError,
                      text,
                      {{"forecast_bytes", chosen.whole()},
                       {"limit_bytes", limit},
                       {"parts", breakdown},
                       {"tokens", chosen.plan.micro_batch_tokens},
                       {"memory", memory_mode_name(chosen.plan.mode)},
                       {"plan", plan_json(seen)},
                       {"lever", largest.lever}}});
  MemoryPlan plan = chosen.plan;
  // The heaviest micro-batch of all there are: nothing has to be cut.
  if (plan.micro_batch_tokens == heaviest.most)
    plan.micro_batch_tokens =
        subject.micro_batch_tokens > 0 ? subject.micro_batch_tokens : kMicroBatchTokens;
  plan.prefix_room = fits ? (limit - chosen.whole()) / 2 : 0;
  return plan;
}

}  // namespace inlay
