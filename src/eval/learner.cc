#include "eval/learner.h"

#include <utility>

#include "autograd/ops/row_ops.h"
#include "eval/frozen_prefix.h"
#include "eval/posed_examples.h"
#include "eval/prediction_batches.h"
#include "eval/pyramid_levels.h"

namespace inlay {
namespace {

Variable head_input(Context& context, const Model& model, const Variable& hidden,
                    const TokenBatch& batch, HeadInput input) {
  switch (input) {
    case HeadInput::kPooler:
      return model.pooled(context, hidden, batch);
    case HeadInput::kFirst:
      return pooling(context, hidden, Pooling::kFirst, &batch.examples);
    case HeadInput::kLast:
      return pooling(context, hidden, Pooling::kLast, &batch.examples);
    case HeadInput::kMean:
      return pooling(context, hidden, Pooling::kMean, &batch.examples);
    case HeadInput::kTokens:
      return hidden;
    case HeadInput::kPyramid:
      fail(ErrorKind::kUsage,
           "a detection head reads the maps of several layers, which one pass for several adapters "
           "does not keep; ask one adapter at a time, with --adapter");
  }
  fail(ErrorKind::kInternal, "an unknown head input");
}

bool reads_pyramid(const Learner& learner) {
  return learner.layer == OutputLayer::kHead && learner.head->layout().input == HeadInput::kPyramid;
}

int64_t outputs_of(const TaskInfo& info, const BaseFacts& base, int64_t of_head) {
  switch (info.layer) {
    case OutputLayer::kHead:
      return of_head;
    case OutputLayer::kMaskedLm:
      return base.vocabulary;
    case OutputLayer::kPooling:
    case OutputLayer::kNextToken:
      return base.hidden;
  }
  fail(ErrorKind::kInternal, "an unknown output layer");
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

bool Learner::couples_batch() const {
  return task->couples_batch() || (adapter != nullptr && adapter->method().couples_batch());
}

HeadLayout resolve_head(const BaseFacts& base, HeadKind kind, const std::string& pooling) {
  HeadLayout layout = base.head_layout(kind);
  if (layout.input == HeadInput::kTokens) {
    require(pooling == "auto" || pooling == "tokens", ErrorKind::kUsage,
            "pooling \"{}\" makes no sense with one output per token; leave it at auto", pooling);
    return layout;
  }
  if (layout.input == HeadInput::kPyramid) {
    require(pooling == "auto" || pooling == "pyramid", ErrorKind::kUsage,
            "pooling \"{}\" makes no sense with outputs at every place; leave it at auto", pooling);
    return layout;
  }
  if (pooling == "auto") {
    if (layout.input == HeadInput::kPooler && !base.has_pooler) layout.input = HeadInput::kMean;
    return layout;
  }
  layout.input = resolve_pooling(base, pooling);
  return layout;
}

std::unique_ptr<Head> make_head(const Model& model, const Task& task,
                                const HeadSettings& settings) {
  const BaseFacts& base = model.facts();
  HeadLayout layout = resolve_head(base, task.head_kind(), settings.pooling);
  if (layout.input == HeadInput::kPyramid) layout.levels = level_channels(model);
  int64_t inputs = base.channels_of(layout.input);
  return std::make_unique<Head>(std::move(layout), inputs, task.outputs(), settings.dropout,
                                settings.seed);
}

HeadInput resolve_pooling(const BaseFacts& base, const std::string& pooling) {
  if (pooling == "auto") return HeadInput::kMean;
  HeadInput input = head_input_from_name(pooling, "pooling");
  require(input != HeadInput::kTokens, ErrorKind::kUsage,
          "pooling \"tokens\" is for token classification");
  require(input != HeadInput::kPyramid, ErrorKind::kUsage,
          "pooling \"pyramid\" is for object detection");
  require(input != HeadInput::kPooler || base.has_pooler, ErrorKind::kUsage,
          "this base has no pooler; use pooling=mean or pooling={}",
          base.causal ? "last" : "first");
  require(
      input != HeadInput::kFirst || !base.causal, ErrorKind::kUsage,
      "pooling \"first\" reads a token that has seen no other in this base; use pooling=last or "
      "pooling=mean");
  return input;
}

void require_layer(const Model& model, const TaskInfo& info) {
  bool images = of_images(info.data);
  require(images == model.facts().images, ErrorKind::kInput,
          "{}: the base reads {}, and task {} is about {}; use {}", model.facts().folder.string(),
          model.facts().images ? "images" : "texts", info.name, images ? "images" : "texts",
          images ? "a base of images, such as mobilenet-v2"
                 : "a base of texts, or task image-classification");
  require(info.layer != OutputLayer::kMaskedLm || model.has_masked_lm(), ErrorKind::kInput,
          "{}: the base has no masked-LM head, which task {} needs; use a base whose files hold "
          "the head that it was pretrained with (its config.json says BertForMaskedLM or the "
          "like)",
          model.facts().folder.string(), info.name);
  require(info.layer != OutputLayer::kNextToken || model.has_language_model(), ErrorKind::kInput,
          "{}: the base is no language model, which task {} needs; use a decoder, such as one of "
          "model_type llama",
          model.facts().folder.string(), info.name);
}

void set_task(Learner& learner, const TaskInfo& info, const TaskSettings& settings) {
  const Model& model = *learner.model;
  learner.layer = info.layer;
  require_layer(model, info);
  require(info.layer != OutputLayer::kMaskedLm || settings.pooling == "auto", ErrorKind::kUsage,
          "pooling \"{}\" makes no sense with one output per token; leave it at auto",
          settings.pooling);
  if (info.layer == OutputLayer::kPooling)
    learner.pooling = resolve_pooling(model.facts(), settings.pooling);
  TaskOptions options = settings.options;
  options.model = &model;
  learner.task =
      info.make(settings.classes, outputs_of(info, model.facts(), settings.outputs), options);
}

ModelParts parts_for(const TaskInfo& info, const std::string& quantise) {
  return {.masked_lm = info.layer == OutputLayer::kMaskedLm,
          .language_model = info.layer == OutputLayer::kNextToken,
          .quantise = quantisation_named(quantise)};
}

Variable learner_logits(Context& context, const Learner& learner, const TokenBatch& batch) {
  return learner_logits(context, learner, *learner.model, batch);
}

TokenBatch learner_batch(const Learner& learner, ExampleSpan examples, const BatchPlace& place) {
  return learner.prefix != nullptr ? learner.prefix->batch(examples, place)
                                   : make_example_batch(examples, place);
}

Variable learner_logits(Context& context, const Learner& learner, ExampleSpan examples,
                        const TokenBatch& batch) {
  if (learner.prefix == nullptr) return learner_logits(context, learner, batch);
  const Model& model = *learner.model;
  Variable hidden = learner.prefix->encode(context, model, examples, batch);
  return logits_of_hidden(context, learner, model, hidden, batch);
}

Variable learner_logits(Context& context, const Learner& learner, const Model& model,
                        const TokenBatch& batch) {
  if (reads_pyramid(learner))
    return learner.head->pyramid_logits(context, pyramid_levels(context, model, batch));
  return logits_of_hidden(context, learner, model, model.encode(context, batch), batch);
}

Variable logits_of_hidden(Context& context, const Learner& learner, const Model& model,
                          const Variable& hidden, const TokenBatch& batch) {
  switch (learner.layer) {
    case OutputLayer::kHead:
      return learner.head->logits(
          context, head_input(context, model, hidden, batch, learner.head->layout().input));
    case OutputLayer::kMaskedLm:
      return model.masked_lm_logits(context,
                                    select_rows(context, hidden, batch.asked, &batch.asked_tokens));
    case OutputLayer::kNextToken:
      return select_rows(context, hidden, batch.asked, &batch.asked_tokens);
    case OutputLayer::kPooling:
      return head_input(context, model, hidden, batch, learner.pooling);
  }
  fail(ErrorKind::kInternal, "an unknown output layer");
}

Variable judged_outputs(Context& context, const Learner& learner, ExampleSpan posed,
                        Variable outputs) {
  return learner.task->judged(context, std::move(outputs), posed);
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
  std::vector<ModelOutput> outputs;
  for_each_prediction_batch(context, examples, kPredictionTokens, [&](ExampleSpan some) {
    PosedExamples posed(*learner.task, some, occasion);
    TokenBatch batch = learner_batch(learner, posed.all(),
                                     {.first_position = learner.model->facts().first_position});
    append_outputs(*learner.task, some, posed.all(),
                   judged_outputs(context, learner, posed.all(),
                                  learner_logits(context, learner, posed.all(), batch)),
                   outputs);
  });
  return outputs;
}

}  // namespace inlay
