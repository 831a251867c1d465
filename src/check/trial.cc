#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"
#include "base/process.h"
#include "check/parts.h"
#include "check/probe.h"
#include "tensor/tensor_heap.h"

namespace inlay {
namespace {

constexpr int kSteps = 2;
constexpr int kOverfitSteps = 20;
constexpr double kHalfLargest = 65504;
constexpr std::size_t kNamesShown = 5;

// The largest value that a site gives, and the first site with one that is no number.
class SizeTap : public Tap {
 public:
  void see(const Site& site, const Variable& value) override {
    for (int64_t i = 0; i < value.value().count(); ++i) {
      double size = std::fabs(in(value.value()).load<double>(i));
      if (!std::isfinite(size) && broken.empty()) broken = site.name;
      if (size > largest) {
        largest = size;
        at = site.name;
      }
    }
  }

  double largest = 0;
  std::string at, broken;
};

std::string some_of(const std::vector<std::string>& names) {
  std::size_t shown = std::min(kNamesShown, names.size());
  std::string list = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) list += fmt::format(" and {} more", names.size() - shown);
  return list;
}

// Names of parameters whose gradient is missing, all zero, or not finite.
struct GradientNames {
  std::vector<std::string> unreached, zero, broken;
};

GradientNames judge(const std::vector<Parameter*>& parameters, const std::vector<Tensor>& taken) {
  GradientNames names;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const std::string& name = parameters[p]->name();
    if (parameters[p]->frozen()) continue;  // moved by its method, not by gradients
    if (!taken[p].defined()) {
      names.unreached.push_back(name);
      continue;
    }
    bool zero = true, finite = true;
    for (int64_t i = 0; i < taken[p].count(); ++i) {
      float value = taken[p].data<float>()[i];
      zero = zero && value == 0;
      finite = finite && std::isfinite(value);
    }
    if (!finite) names.broken.push_back(name);
    if (zero) names.zero.push_back(name);
  }
  return names;
}

// C-9.
void identity(const Learner& learner, const Tensor& base, const Tensor& fresh, Findings& findings) {
  if (learner.adapter == nullptr || learner.adapter->entries().empty()) return;
  bool promised = learner.adapter->method().identity_at_start();
  bool same = same_bits(base, fresh);
  double difference = largest_difference(base, fresh);
  std::string text =
      same ? "the fresh adapter leaves every output as it is, bit for bit"
           : fmt::format("the fresh adapter changes the outputs by up to {:.3g}{}", difference,
                         promised ? ", although its method promises that it does not"
                                  : ", as its method does");
  findings.push_back({"C-9",
                      promised && !same ? Severity::kError : Severity::kInfo,
                      text,
                      {{"promised", promised}, {"same_bits", same}, {"difference", difference}}});
}

// C-10.
void gradients(std::size_t tensors, const GradientNames& start, const GradientNames& later,
               Findings& findings) {
  Json details{{"zero_at_start", start.zero},
               {"zero_after_two_steps", later.zero},
               {"unreached", start.unreached},
               {"not_finite", start.broken}};
  if (!start.broken.empty() || !later.broken.empty()) {
    const auto& names = start.broken.empty() ? later.broken : start.broken;
    findings.push_back({"C-10", Severity::kError, "gradients are not finite: " + some_of(names),
                        std::move(details)});
    return;
  }
  bool dead = later.zero.size() + later.unreached.size() == tensors;
  std::string text = fmt::format("{} tensors are trained; {} have no gradient in the first step",
                                 tensors, start.zero.size());
  Severity severity = dead ? Severity::kError : Severity::kInfo;
  if (!later.zero.empty()) {
    severity = std::max(severity, Severity::kWarning);
    text += fmt::format("; still without one after two: {}", some_of(later.zero));
  }
  if (!start.unreached.empty()) {
    severity = std::max(severity, Severity::kWarning);
    text += fmt::format("; the loss never reaches {}", some_of(start.unreached));
  }
  findings.push_back({"C-10", severity, text, std::move(details)});
}

// C-11.
void effect(const CheckSubject& subject, Probe& probe, const Learner& learner, double first_loss,
            Findings& findings) {
  bool adapts = learner.adapter != nullptr && !learner.adapter->entries().empty();
  bool moved = !adapts || !same_bits(probe.logits(nullptr), probe.logits(learner.adapter.get()));
  Json details{{"outputs_move", moved}};
  std::string text = moved ? "after two steps the outputs are not the base's"
                           : "after two steps the outputs are still the base's";
  Severity severity = moved ? Severity::kInfo : Severity::kError;
  if (subject.thorough) {
    std::vector<Tensor> taken;
    double loss = first_loss;
    for (int i = 0; i < kOverfitSteps; ++i) {
      loss = probe.gradients(taken);
      probe.step(taken);
    }
    loss = probe.gradients(taken);
    bool falls = loss < first_loss;
    if (!falls) severity = std::max(severity, Severity::kWarning);
    text += fmt::format("; {} steps on one batch bring its loss from {:.4f} to {:.4f}",
                        kOverfitSteps, first_loss, loss);
    details["loss_before"] = first_loss;
    details["loss_after"] = loss;
  }
  findings.push_back({"C-11", severity, text, std::move(details)});
}

// C-13.
void activations(const SizeTap& tap, Findings& findings) {
  if (!tap.broken.empty()) {
    findings.push_back(
        {"C-13",
         Severity::kError,
         fmt::format("{} gives a value that is no number; it is the first to do so", tap.broken),
         {{"site", tap.broken}}});
    return;
  }
  bool risky = tap.largest > kHalfLargest / 2;
  findings.push_back({"C-13",
                      risky ? Severity::kWarning : Severity::kInfo,
                      fmt::format("the largest activation is {:.4g}, at {}{}", tap.largest, tap.at,
                                  risky ? "; 16-bit floats (f16) end at 65504" : ""),
                      {{"largest", tap.largest}, {"site", tap.at}}});
}

}  // namespace

namespace {

// From the probe and half of it, to tell what grows with the tokens from what does not.
StepMemory step_memory(const CheckSubject& subject, Learner& learner, const StepWay& way,
                       const Probe& probe) {
  Probe half(subject, learner, way, kProbeTokens / 2);
  std::vector<Tensor> unused;
  half.gradients(unused);
  int64_t more = probe.tokens() - half.tokens();
  auto all = static_cast<double>(probe.activation_bytes());
  double slope =
      more > 0 ? (all - static_cast<double>(half.activation_bytes())) / static_cast<double>(more)
               : all / static_cast<double>(std::max<int64_t>(1, probe.tokens()));
  return {probe.tokens(), probe.activation_bytes(), std::max(0.0, slope)};
}

// Packed weights may take this share of the limit before a trial that nobody asked to be fast does
// without them: they would stay.
constexpr double kPackedShare = 0.25;

// Of all frozen matrices that the learner reads.
WeightMemory frozen_memory(const CheckSubject& subject, const Learner& learner) {
  const BaseFacts& base = subject.model.facts();
  WeightMemory memory = layer_memory(base, learner.adapter.get(), subject.compute);
  if (learner.layer != OutputLayer::kNextToken) return memory;
  WeightMemory projection = projection_memory(base, subject.compute);
  return {memory.packed + projection.packed, memory.stored + projection.stored};
}

MemoryMode mode_to_try(const CheckSubject& subject, const WeightMemory& weights) {
  if (subject.memory.has_value()) return *subject.memory;
  auto whole = static_cast<double>(current_rss_bytes() + weights.packed);
  bool roomy = whole <= kPackedShare * static_cast<double>(memory_limit(subject));
  return roomy ? MemoryMode::kFast : MemoryMode::kLow;
}

}  // namespace

StepMemory measure_step(const CheckSubject& subject, Learner& learner, const StepWay& way) {
  Probe probe(subject, learner, way);
  std::vector<Tensor> unused;
  probe.gradients(unused);
  return step_memory(subject, learner, way, probe);
}

ProbeCost check_probe(const CheckSubject& subject, Learner learner, Findings& findings) {
  WeightMemory weights = frozen_memory(subject, learner);
  MemoryMode mode = mode_to_try(subject, weights);
  Probe probe(subject, learner, step_way(mode));
  Tensor base = probe.logits(nullptr);
  SizeTap tap;
  Tensor fresh = probe.logits(learner.adapter.get(), &tap);
  activations(tap, findings);
  identity(learner, base, fresh, findings);
  std::vector<Parameter*> parameters = learner.parameters();
  std::vector<Tensor> taken;
  double loss = probe.gradients(taken);
  GradientNames start = judge(parameters, taken);
  for (int i = 0; i < kSteps; ++i) {
    probe.step(taken);
    probe.gradients(taken);
  }
  gradients(parameters.size(), start, judge(parameters, taken), findings);
  taken.clear();
  trim_tensor_heap();
  ProbeCost cost{.mode = mode,
                 .weights = weights,
                 .resident_bytes = current_rss_bytes(),
                 .whole_batches = learner.couples_batch(),
                 .chunk = learner.gradient_chunk()};
  cost.step = step_memory(subject, learner, step_way(mode), probe);
  for (Parameter* parameter : parameters) cost.trained_bytes += parameter->value().byte_count();
  effect(subject, probe, learner, loss, findings);
  check_storage(subject, probe, learner, findings);
  return cost;
}

}  // namespace inlay
