#include "check/probe.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "autograd/operands.h"
#include "eval/batch_pass.h"

namespace inlay {
namespace {

constexpr float kProbeRate = 1e-3f;

// As many as the limit lets, cut to a power of two of chunks: then gradients are one sum for each
// parameter, as they are after a batch of 32, and what is left beside them grows with the tokens.
std::vector<const EncodedExample*> probe_examples(ExampleSpan train, int64_t limit, int64_t chunk) {
  std::vector<const EncodedExample*> probe;
  int64_t tokens = 0;
  for (const EncodedExample* example : train) {
    tokens += example->token_count();
    if (probe.size() >= 2 && tokens > limit) break;
    probe.push_back(example);
  }
  auto each = static_cast<std::size_t>(chunk);
  std::size_t whole = std::bit_floor(probe.size() / each) * each;
  if (whole > 0) probe.resize(std::max<std::size_t>(2, whole));
  return probe;
}

}  // namespace

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.count(); ++i)
    largest = std::max(largest, std::fabs(in(a).load<double>(i) - in(b).load<double>(i)));
  return largest;
}

Probe::Probe(const CheckSubject& subject, Learner& learner, const StepWay& way, int64_t limit)
    : learner_(learner),
      posed_(*learner.task, probe_examples(subject.train, limit, learner.gradient_chunk()), {}),
      context_(subject.compute) {
  context_.seed = subject.plan.seed;
  use(context_, way);
}

int64_t Probe::tokens() const {
  int64_t count = 0;
  for (const EncodedExample* example : posed_.all()) count += example->token_count();
  return count;
}

Tensor Probe::logits(SiteHooks* hooks, Tap* tap, float gate) {
  context_.tape.set_recording(false);
  context_.tap = tap;
  context_.adapters.clear();
  if (hooks != nullptr) context_.adapters.push_back({.hooks = hooks, .gate = gate});
  TokenBatch batch =
      make_example_batch(posed_.all(), {.chunk = learner_.gradient_chunk(),
                                        .first_position = learner_.model->facts().first_position});
  Tensor values = learner_logits(context_, learner_, batch).value().clone();
  context_.tap = nullptr;
  context_.tape.set_recording(true);
  return values;
}

Tensor Probe::base_logits(const Model& model) {
  context_.tape.set_recording(false);
  context_.adapters.clear();
  TokenBatch batch =
      make_example_batch(posed_.all(), {.first_position = model.facts().first_position});
  Variable values = learner_logits(context_, learner_, model, batch);
  if (learner_.layer == OutputLayer::kNextToken) values = model.next_token_logits(context_, values);
  Tensor kept = values.value().clone();
  context_.tape.set_recording(true);
  return kept;
}

double Probe::gradients(std::vector<Tensor>& taken) {
  taken.clear();
  activate(context_, learner_);
  double total = pass_batch(context_, learner_, posed_.all(), 0);
  for (Parameter* parameter : learner_.parameters()) {
    Tensor gradient = parameter->take_gradient();
    taken.push_back(gradient.defined() ? gradient.clone() : Tensor());
  }
  return total;
}

void Probe::step(const std::vector<Tensor>& taken) {
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

}  // namespace inlay
