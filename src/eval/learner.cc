#include "eval/learner.h"

#include <algorithm>
#include <numeric>

#include "base/process.h"

namespace inlay {

std::vector<Parameter*> Learner::parameters() const {
  std::vector<Parameter*> all;
  if (adapter != nullptr) {
    for (Adapter::Entry& entry : adapter->entries()) all.push_back(&entry.parameter);
  }
  for (Parameter& parameter : head->parameters()) all.push_back(&parameter);
  return all;
}

int64_t Learner::gradient_chunk() const {
  return adapter != nullptr ? adapter->method().gradient_chunk() : 1;
}

HeadLayout resolve_head(const BaseFacts& base, HeadKind kind, const std::string& pooling) {
  HeadLayout layout = base.head_layout(kind);
  if (kind == HeadKind::kTokenClassification) {
    require(pooling == "auto" || pooling == "tokens", ErrorKind::kUsage,
            "pooling \"{}\" makes no sense with one output per token; leave it at auto", pooling);
    return layout;
  }
  if (pooling == "auto") {
    if (layout.input == HeadInput::kPooler && !base.has_pooler) layout.input = HeadInput::kMean;
    return layout;
  }
  layout.input = head_input_from_name(pooling, "pooling");
  require(layout.input != HeadInput::kTokens, ErrorKind::kUsage,
          "pooling \"tokens\" is for token classification");
  require(layout.input != HeadInput::kPooler || base.has_pooler, ErrorKind::kUsage,
          "this base has no pooler; use pooling=mean or pooling=first");
  return layout;
}

Variable learner_logits(Context& context, const Learner& learner, const TokenBatch& batch) {
  Variable hidden = learner.model->encode(context, batch);
  Head& head = *learner.head;
  switch (head.layout().input) {
    case HeadInput::kPooler:
      return head.logits(context, learner.model->pooled(context, hidden, batch));
    case HeadInput::kFirst:
      return head.logits(context, pooling(context, hidden, Pooling::kFirst, &batch.examples));
    case HeadInput::kMean:
      return head.logits(context, pooling(context, hidden, Pooling::kMean, &batch.examples));
    case HeadInput::kTokens:
      return head.logits(context, hidden);
  }
  fail(ErrorKind::kInternal, "an unknown head input");
}

void activate(Context& context, const Learner& learner) {
  context.adapters.clear();
  if (learner.adapter != nullptr) context.adapters.push_back({.hooks = learner.adapter.get()});
}

std::vector<ModelOutput> predict(Context& context, const Learner& learner,
                                 std::span<const EncodedExample* const> examples,
                                 int64_t tokens_per_batch) {
  bool recorded = context.tape.recording(), trained = context.training;
  context.tape.set_recording(false);
  context.training = false;
  std::vector<ModelOutput> outputs;
  std::size_t first = 0;
  while (first < examples.size()) {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped after {} of {} examples", first,
            examples.size());
    std::vector<const TokenSequence*> sequences;
    int64_t tokens = 0;
    std::size_t last = first;
    while (last < examples.size() &&
           (last == first ||
            tokens + static_cast<int64_t>(examples[last]->tokens.ids.size()) <= tokens_per_batch)) {
      tokens += static_cast<int64_t>(examples[last]->tokens.ids.size());
      sequences.push_back(&examples[last++]->tokens);
    }
    TokenBatch batch =
        make_token_batch(sequences, {.first_position = learner.model->facts().first_position});
    Variable logits = learner_logits(context, learner, batch);
    const auto* values = logits.value().data<float>();
    const RowSpace& rows = *logits.row_space();
    for (std::size_t i = first; i < last; ++i) {
      const float* begin = values + rows.example_offsets[i - first] * logits.channels();
      const float* end = values + rows.example_offsets[i - first + 1] * logits.channels();
      outputs.push_back({examples[i], {begin, end}});
    }
    first = last;
  }
  context.tape.set_recording(recorded);
  context.training = trained;
  return outputs;
}

}  // namespace inlay
