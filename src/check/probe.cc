#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "adapters/storage.h"
#include "autograd/operands.h"
#include "base/process.h"
#include "check/parts.h"
#include "eval/posed_examples.h"
#include "nn/modules.h"

namespace inlay {
namespace {

constexpr int64_t kProbeTokens = 256;
constexpr float kProbeRate = 1e-3f;
constexpr int kOverfitSteps = 20;
constexpr double kHalfLargest = 65504;
constexpr std::size_t kNamesShown = 5;

using Examples = std::vector<const EncodedExample*>;

// The first training examples, as many as so many tokens hold; at least two, which some losses
// compare.
Examples probe_examples(ExampleSpan train, int64_t limit) {
  Examples probe;
  int64_t tokens = 0;
  for (const EncodedExample* example : train) {
    tokens += example->token_count();
    if (probe.size() >= 2 && tokens > limit) break;
    probe.push_back(example);
  }
  return probe;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.count(); ++i)
    largest = std::max(largest, std::fabs(in(a).load<double>(i) - in(b).load<double>(i)));
  return largest;
}

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

// One batch, run again and again on a learner that is thrown away.
class Probe {
 public:
  Probe(const CheckSubject& subject, Learner& learner, int64_t limit = kProbeTokens)
      : subject_(subject),
        learner_(learner),
        posed_(*learner.task, probe_examples(subject.train, limit), {}),
        context_(subject.compute) {
    context_.seed = subject.seed;
  }

  int64_t tokens() const {
    int64_t count = 0;
    for (const EncodedExample* example : posed_.all()) count += example->token_count();
    return count;
  }
  uint64_t activation_bytes() const { return context_.arena.touched_bytes(); }

  Tensor logits(SiteHooks* hooks, Tap* tap = nullptr, float gate = 1.0f) {
    context_.tape.set_recording(false);
    context_.tap = tap;
    context_.adapters.clear();
    if (hooks != nullptr) context_.adapters.push_back({.hooks = hooks, .gate = gate});
    TokenBatch batch = token_batch();
    Tensor values = learner_logits(context_, learner_, batch).value().clone();
    context_.tap = nullptr;
    context_.tape.set_recording(true);
    return values;
  }

  // The loss, and the gradients of Learner::parameters(), undefined where none arrives.
  double gradients(std::vector<Tensor>& taken) {
    activate(context_, learner_);
    TokenBatch batch = token_batch();
    BatchTargets targets = learner_.task->targets(posed_.all());
    Variable losses = learner_.task->loss(context_, learner_logits(context_, learner_, batch),
                                          targets, learner_.task->loss_weight(posed_.all()));
    double total = 0;
    Tensor seed = Tensor::empty(losses.shape(), losses.dtype());
    for (int64_t i = 0; i < losses.value().count(); ++i) {
      total += in(losses.value()).load<double>(i);
      out(seed).store(i, 1.0);
    }
    context_.tape.backward(losses, std::move(seed));
    taken.clear();
    for (Parameter* parameter : learner_.parameters()) {
      Tensor gradient = parameter->take_gradient();
      taken.push_back(gradient.defined() ? gradient.clone() : Tensor());
    }
    return total;
  }

  // A step of sign descent: every number moves, however small its gradient.
  void step(const std::vector<Tensor>& taken) {
    std::vector<Parameter*> parameters = learner_.parameters();
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (!taken[p].defined()) continue;
      float* value = parameters[p]->mutable_value().mutable_data<float>();
      const float* slope = taken[p].data<float>();
      for (int64_t i = 0; i < taken[p].count(); ++i) {
        float sign = slope[i] > 0 ? 1.0f : slope[i] < 0 ? -1.0f : 0.0f;
        value[i] -= kProbeRate * sign;
      }
      parameters[p]->changed();
    }
  }

 private:
  TokenBatch token_batch() const {
    return make_example_batch(posed_.all(),
                              {.chunk = learner_.gradient_chunk(),
                               .first_position = learner_.model->facts().first_position});
  }

  const CheckSubject& subject_;
  Learner& learner_;
  PosedExamples posed_;
  Context context_;
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
void gradients(const Learner& learner, const std::vector<Tensor>& first,
               const std::vector<Tensor>& third, Findings& findings) {
  std::vector<Parameter*> parameters = learner.parameters();
  GradientNames start = judge(parameters, first), later = judge(parameters, third);
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
  bool dead = later.zero.size() + later.unreached.size() == parameters.size();
  std::string text = fmt::format("{} tensors are trained; {} have no gradient in the first step",
                                 parameters.size(), start.zero.size());
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

// A folder of our own that goes away again.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "inlay-check-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, ErrorKind::kIo,
            "{}: a temporary folder cannot be made: {}", pattern, std::strerror(errno));
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The largest relative difference between merged layers and adapted ones, in float32, over the
// linear sites; -1 where the method cannot be merged. A look at two layers, or at all.
double merge_error(const CheckSubject& subject, Adapter& adapter) {
  double worst = -1;
  int64_t last = subject.model.facts().layers - 1;
  for (const Site* site : adapter.sites()) {
    SiteHook* hook = adapter.at(site->index);
    if (site->kind != SiteKind::kLinear || hook == nullptr) continue;
    if (!subject.thorough && site->layer > 0 && site->layer < last) continue;
    MergedTensors merged{site->weight.to(DType::kF32),
                         site->bias.defined() ? site->bias.to(DType::kF32) : Tensor()};
    if (!hook->merge(merged)) return -1;
    LinearSite base{*site, FrozenWeight(site->weight, site->bias, onednn::Layout::kOutIn, nullptr)};
    LinearSite whole{*site,
                     FrozenWeight(merged.weight, merged.bias, onednn::Layout::kOutIn, nullptr)};
    Context context(DType::kF32);
    context.tape.set_recording(false);
    context.begin_forward();
    RowSpace rows{{0, 4}, {0, 4}, {0, 0, 0, 0}, {0, 1, 2, 3}};
    Tensor x = Tensor::empty({4, site->in}, DType::kF32);
    Stream stream(subject.seed, "check/merge/" + site->name);
    for (int64_t i = 0; i < x.count(); ++i)
      x.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
    Variable input = context.tape.constant(x, &rows);
    Tensor expected = linear_site(context, whole, input, Precision::kFull).value();
    context.adapters = {{.hooks = &adapter}};
    Tensor unmerged = linear_site(context, base, input, Precision::kFull).value();
    double largest = 1e-6;
    for (int64_t i = 0; i < expected.count(); ++i)
      largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
    worst = std::max(worst, largest_difference(expected, unmerged) / largest);
  }
  return worst;
}

// C-12.
void storage(const CheckSubject& subject, Probe& probe, Learner& learner, Findings& findings) {
  Tensor base = probe.logits(nullptr), off = probe.logits(learner.adapter.get(), nullptr, 0.0f);
  bool same = same_bits(off, base);
  findings.push_back({"C-12",
                      same ? Severity::kInfo : Severity::kError,
                      same ? "switched off, the adapter leaves the base as it was, bit for bit"
                           : "switched off, the outputs are not those of the base",
                      {{"difference", largest_difference(off, base)}}});
  if (learner.adapter == nullptr) return;
  std::unique_ptr<Adapter> kept = learner.adapter->finished(subject.model.facts());
  Adapter& saved = kept != nullptr ? *kept : *learner.adapter;
  Tensor expected = probe.logits(&saved);
  TemporaryFolder folder;
  save_adapter(folder.path() / "adapter", {&saved, learner.head.get(), {}}, subject.model.facts());
  LoadedAdapter loaded = load_adapter(folder.path() / "adapter", subject.model.facts());
  Tensor again = probe.logits(loaded.adapter.get());
  bool bitwise = same_bits(expected, again);
  findings.push_back({"C-12",
                      bitwise ? Severity::kInfo : Severity::kError,
                      bitwise ? "saved and loaded, it gives the same bits"
                              : fmt::format("saved and loaded, outputs differ by up to {:.3g}",
                                            largest_difference(expected, again)),
                      {{"difference", largest_difference(expected, again)}}});
  double error = merge_error(subject, saved);
  constexpr double kMergeTolerance = 1e-4;
  bool close = error <= kMergeTolerance;
  findings.push_back(
      {"C-12",
       close ? Severity::kInfo : Severity::kError,
       error < 0 ? "the method cannot be merged into the base"
                 : fmt::format("merged layers differ by up to {:.2g} of their largest output{}",
                               error, close ? "" : ", more than 1e-4"),
       {{"error", error < 0 ? Json() : Json(error)}}});
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

// What a step on half the probe needs, to tell what grows with the tokens from what does not.
double bytes_per_token(const CheckSubject& subject, Learner& learner, const Probe& probe) {
  Probe half(subject, learner, kProbeTokens / 2);
  std::vector<Tensor> unused;
  half.gradients(unused);
  int64_t more = probe.tokens() - half.tokens();
  auto all = static_cast<double>(probe.activation_bytes());
  if (more <= 0) return all / static_cast<double>(std::max<int64_t>(1, probe.tokens()));
  return std::max(0.0, all - static_cast<double>(half.activation_bytes())) /
         static_cast<double>(more);
}

}  // namespace

ProbeCost check_probe(const CheckSubject& subject, Learner learner, Findings& findings) {
  Probe probe(subject, learner);
  Tensor base = probe.logits(nullptr);
  SizeTap tap;
  Tensor fresh = probe.logits(learner.adapter.get(), &tap);
  activations(tap, findings);
  identity(learner, base, fresh, findings);
  std::vector<Tensor> first, second, third;
  double loss = probe.gradients(first);
  probe.step(first);
  probe.gradients(second);
  probe.step(second);
  probe.gradients(third);
  gradients(learner, first, third, findings);
  ProbeCost cost{.tokens = probe.tokens(),
                 .activation_bytes = probe.activation_bytes(),
                 .resident_bytes = current_rss_bytes()};
  cost.bytes_per_token = bytes_per_token(subject, learner, probe);
  for (Parameter* parameter : learner.parameters())
    cost.trained_bytes += parameter->value().byte_count();
  effect(subject, probe, learner, loss, findings);
  storage(subject, probe, learner, findings);
  return cost;
}

}  // namespace inlay
