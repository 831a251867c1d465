#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/units.h"
#include "check/parts.h"
#include "eval/frozen_prefix.h"

namespace inlay {
namespace {

// Enough for products of a usual size, few enough for a large base.
constexpr std::size_t kTimedExamples = 8;
constexpr int64_t kTimedTokens = 2048;
constexpr int kTimedSteps = 3;
constexpr double kEnoughSeconds = 1;

int64_t tokens_of(ExampleSpan examples) {
  int64_t tokens = 0;
  for (const EncodedExample* example : examples) tokens += example->token_count();
  return tokens;
}

// At least two, which some losses compare.
ExampleSpan timed_examples(ExampleSpan train) {
  std::size_t count = std::min(train.size(), kTimedExamples);
  while (count > 2 && tokens_of(train.first(count)) > kTimedTokens) --count;
  return train.first(count);
}

struct PrefixCost {
  double first = 0, later = 0;  // seconds of a step in the first epoch, and in later ones
  uint64_t bytes = 0;           // of the timed examples
};

PrefixCost measure(const CheckSubject& subject, Learner& learner, PrefixPlace place,
                   const MemoryPlan& plan) {
  ExampleSpan timed = timed_examples(subject.train);
  std::vector<const EncodedExample*> examples(timed.begin(), timed.end());
  Context context(subject.compute);
  use(context, step_way(plan.mode));
  activate(context, learner);
  auto step = [&] {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped before the first step");
    auto begin = std::chrono::steady_clock::now();
    context.training = true;
    pass_batch(context, learner, examples, subject.micro_batch, plan.micro_batch_tokens);
    for (Parameter* parameter : learner.parameters()) parameter->take_gradient();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  PrefixCost cost;
  step();  // what is made once: packed weights, compiled kernels
  double spent = 0;
  for (int i = 0; i < kTimedSteps && spent < kEnoughSeconds; ++i) {
    learner.prefix =
        std::make_shared<FrozenPrefix>(place, examples, PrefixRoom{kMostPrefixFile, ""});
    double first = step(), later = step();
    cost.first = i == 0 ? first : std::min(cost.first, first);
    cost.later = i == 0 ? later : std::min(cost.later, later);
    cost.bytes = learner.prefix->bytes();
    spent += first + later;
  }
  learner.prefix = nullptr;
  return cost;
}

std::string place_text(PrefixPlace place, int64_t layers) {
  if (place.whole) return "nothing of the base is trained: what it gives";
  if (place.layers == layers)
    return fmt::format("none of the {} layers is trained: what they give", layers);
  return fmt::format("nothing below layer {} of {} is trained: what comes before it",
                     place.layers + 1, layers);
}

}  // namespace

void check_prefix(const CheckSubject& subject, Learner learner, const MemoryPlan& plan,
                  Findings& findings) {
  PrefixPlace place = prefix_place(learner);
  if (!subject.reuse || !place.any() || subject.epochs < 2 || subject.train.empty()) return;
  if (poses_anew(*learner.task,
                 subject.train.first(std::min<std::size_t>(2, subject.train.size())))) {
    findings.push_back({"C-14",
                        Severity::kInfo,
                        place_text(place, subject.model.facts().layers) +
                            " could be computed once, but examples are changed in every epoch",
                        {{"applies", false}}});
    return;
  }
  PrefixCost cost = measure(subject, learner, place, plan);
  auto kept = static_cast<uint64_t>(tokens_of(subject.train) + tokens_of(subject.validation));
  auto timed = static_cast<uint64_t>(tokens_of(timed_examples(subject.train)));
  uint64_t bytes = cost.bytes * kept / std::max<uint64_t>(1, timed);
  bool applies = bytes <= std::max(plan.prefix_room, kMostPrefixFile);
  bool in_memory = bytes <= plan.prefix_room;
  double ratio = cost.first / std::max(1e-9, cost.later);
  std::string where = in_memory ? "in memory" : "in a file of the run";
  std::string text =
      place_text(place, subject.model.facts().layers) +
      (applies ? fmt::format(" is computed once and kept, {} {}; later epochs are about {:.1f} "
                             "times as fast as the first",
                             format_bytes(bytes), where, ratio)
               : fmt::format(" would be {}, more than is kept", format_bytes(bytes)));
  findings.push_back({"C-14",
                      Severity::kInfo,
                      text,
                      {{"applies", applies},
                       {"layers", place.layers},
                       {"whole", place.whole},
                       {"bytes", bytes},
                       {"in_memory", in_memory},
                       {"predicted_ratio", ratio}}});
}

}  // namespace inlay
