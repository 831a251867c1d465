#include "eval/prediction_batches.h"

#include "base/process.h"

namespace inlay {
namespace {

std::size_t batch_end(ExampleSpan examples, std::size_t first, int64_t limit) {
  int64_t tokens = 0;
  std::size_t end = first;
  while (end < examples.size()) {
    tokens += examples[end]->token_count();
    if (end > first && tokens > limit) break;
    ++end;
  }
  return end;
}

}  // namespace

void for_each_prediction_batch(Context& context, ExampleSpan examples, int64_t tokens,
                               const std::function<void(ExampleSpan)>& visit) {
  bool recorded = context.tape.recording(), trained = context.training;
  context.tape.set_recording(false);
  context.training = false;
  for (std::size_t first = 0; first < examples.size();) {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped after {} of {} examples", first,
            examples.size());
    std::size_t end = batch_end(examples, first, tokens);
    visit(examples.subspan(first, end - first));
    first = end;
  }
  context.tape.set_recording(recorded);
  context.training = trained;
}

void append_outputs(const Task& task, ExampleSpan examples, ExampleSpan posed,
                    const Variable& logits, std::vector<ModelOutput>& outputs) {
  const auto* values = logits.value().data<float>();
  const std::vector<int64_t>& offsets = logits.row_space()->example_offsets;
  std::size_t first = 0;  // sequence
  for (std::size_t i = 0; i < examples.size(); ++i) {
    std::size_t last = first + posed[i]->sequence_count();
    std::span<const float> own(values + offsets[first] * logits.channels(),
                               values + offsets[last] * logits.channels());
    first = last;
    outputs.push_back({examples[i], task.kept(*posed[i], own)});
  }
}

}  // namespace inlay
