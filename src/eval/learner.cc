#include "eval/learner.h"

#include <algorithm>

#include "autograd/ops/row_ops.h"
#include "base/process.h"
#include "eval/posed_examples.h"

namespace inlay {
namespace {

constexpr int64_t kTokensPerBatch = 2048;

Variable head_input(Context& context, const Model& model, const Variable& hidden,
                    const TokenBatch& batch, HeadInput input) {
  switch (input) {
    case HeadInput::kPooler:
      return model.pooled(context, hidden, batch);
    case HeadInput::kFirst:
      return pooling(context, hidden, Pooling::kFirst, &batch.examples);
    case HeadInput::kMean:
      return pooling(context, hidden, Pooling::kMean, &batch.examples);
    case HeadInput::kTokens:
      return hidden;
  }
  fail(ErrorKind::kInternal, "an unknown head input");
}

// Where the next batch of values ends: at least one example, about kTokensPerBatch tokens.
std::size_t batch_end(ExampleSpan examples, std::size_t first) {
  int64_t tokens = 0;
  std::size_t end = first;
  while (end < examples.size()) {
    tokens += examples[end]->token_count();
    if (end > first && tokens > kTokensPerBatch) break;
    ++end;
  }
  return end;
}

int64_t outputs_of(const TaskInfo& info, const BaseFacts& base, int64_t of_head) {
  switch (info.layer) {
    case OutputLayer::kHead:
      return of_head;
    case OutputLayer::kMaskedLm:
      return base.vocabulary;
    case OutputLayer::kPooling:
      return base.hidden;
  }
  fail(ErrorKind::kInternal, "an unknown output layer");
}

// The values of one batch, each example's for itself.
void append_outputs(Context& context, const Learner& learner, ExampleSpan examples,
                    const Occasion& occasion, std::vector<ModelOutput>& outputs) {
  PosedExamples posed(*learner.task, examples, occasion);
  TokenBatch batch =
      make_example_batch(posed.all(), {.first_position = learner.model->facts().first_position});
  Variable logits = learner_logits(context, learner, batch);
  const auto* values = logits.value().data<float>();
  const std::vector<int64_t>& offsets = logits.row_space()->example_offsets;
  std::size_t first = 0;  // sequence
  for (std::size_t i = 0; i < examples.size(); ++i) {
    std::size_t last = first + posed.all()[i]->sequence_count();
    std::span<const float> own(values + offsets[first] * logits.channels(),
                               values + offsets[last] * logits.channels());
    first = last;
    outputs.push_back({examples[i], learner.task->kept(*posed.all()[i], own)});
  }
}

}  // namespace

std::vector<Parameter*> Learner::parameters() const {
  std::vector<Parameter*> all;
  if (adapter != nullptr) {
    for (Adapter::Entry& entry : adapter->entries()) {
      if (entry.trained) all.push_back(&entry.parameter);
    }
  }
  if (head != nullptr) {
    for (Parameter& parameter : head->parameters()) all.push_back(&parameter);
  }
  return all;
}

int64_t Learner::gradient_chunk() const {
  return adapter != nullptr ? adapter->method().gradient_chunk() : 1;
}

HeadLayout resolve_head(const BaseFacts& base, HeadKind kind, const std::string& pooling) {
  HeadLayout layout = base.head_layout(kind);
  if (layout.input == HeadInput::kTokens) {
    require(pooling == "auto" || pooling == "tokens", ErrorKind::kUsage,
            "pooling \"{}\" makes no sense with one output per token; leave it at auto", pooling);
    return layout;
  }
  if (pooling == "auto") {
    if (layout.input == HeadInput::kPooler && !base.has_pooler) layout.input = HeadInput::kMean;
    return layout;
  }
  layout.input = resolve_pooling(base, pooling);
  return layout;
}

HeadInput resolve_pooling(const BaseFacts& base, const std::string& pooling) {
  if (pooling == "auto") return HeadInput::kMean;
  HeadInput input = head_input_from_name(pooling, "pooling");
  require(input != HeadInput::kTokens, ErrorKind::kUsage,
          "pooling \"tokens\" is for token classification");
  require(input != HeadInput::kPooler || base.has_pooler, ErrorKind::kUsage,
          "this base has no pooler; use pooling=mean or pooling=first");
  return input;
}

void set_task(Learner& learner, const TaskInfo& info, const TaskSettings& settings) {
  const Model& model = *learner.model;
  learner.layer = info.layer;
  if (info.layer == OutputLayer::kMaskedLm) {
    require(model.has_masked_lm(), ErrorKind::kInput,
            "{}: the base has no masked-LM head, which task {} needs; use a base whose files hold "
            "the head that it was pretrained with (its config.json says BertForMaskedLM or the "
            "like)",
            model.facts().folder.string(), info.name);
    require(settings.pooling == "auto", ErrorKind::kUsage,
            "pooling \"{}\" makes no sense with one output per token; leave it at auto",
            settings.pooling);
  }
  if (info.layer == OutputLayer::kPooling)
    learner.pooling = resolve_pooling(model.facts(), settings.pooling);
  learner.task = info.make(settings.classes, outputs_of(info, model.facts(), settings.outputs),
                           settings.options);
}

ModelParts parts_for(const TaskInfo& info) {
  return {.masked_lm = info.layer == OutputLayer::kMaskedLm};
}

Variable learner_logits(Context& context, const Learner& learner, const TokenBatch& batch) {
  return learner_logits(context, learner, *learner.model, batch);
}

Variable learner_logits(Context& context, const Learner& learner, const Model& model,
                        const TokenBatch& batch) {
  Variable hidden = model.encode(context, batch);
  switch (learner.layer) {
    case OutputLayer::kHead:
      return learner.head->logits(
          context, head_input(context, model, hidden, batch, learner.head->layout().input));
    case OutputLayer::kMaskedLm:
      return model.masked_lm_logits(context,
                                    select_rows(context, hidden, batch.asked, &batch.asked_tokens));
    case OutputLayer::kPooling:
      return head_input(context, model, hidden, batch, learner.pooling);
  }
  fail(ErrorKind::kInternal, "an unknown output layer");
}

int64_t positions_taken(const Learner& learner) {
  return learner.adapter == nullptr ? 0 : learner.adapter->method().positions_taken();
}

void activate(Context& context, const Learner& learner) {
  context.adapters.clear();
  if (learner.adapter != nullptr) context.adapters.push_back({.hooks = learner.adapter.get()});
}

std::vector<ModelOutput> predict(Context& context, const Learner& learner, ExampleSpan examples,
                                 const Occasion& occasion) {
  bool recorded = context.tape.recording(), trained = context.training;
  context.tape.set_recording(false);
  context.training = false;
  std::vector<ModelOutput> outputs;
  for (std::size_t first = 0; first < examples.size();) {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped after {} of {} examples", first,
            examples.size());
    std::size_t end = batch_end(examples, first);
    append_outputs(context, learner, examples.subspan(first, end - first), occasion, outputs);
    first = end;
  }
  context.tape.set_recording(recorded);
  context.training = trained;
  return outputs;
}

}  // namespace inlay
