// Batches in which values, without gradients, are computed for any number of examples.
#pragma once

#include <functional>

#include "eval/learner.h"

namespace inlay {

// Visits the examples in order, at least one and about `tokens` tokens at a time, with the tape
// off. kInterrupted when somebody asked to stop.
void for_each_prediction_batch(Context& context, ExampleSpan examples, int64_t tokens,
                               const std::function<void(ExampleSpan)>& visit);

inline constexpr int64_t kPredictionTokens = 2048;

// Adds what the task keeps of the logits, example by example. `posed` are the examples as the task
// posed them.
void append_outputs(const Task& task, ExampleSpan examples, ExampleSpan posed,
                    const Variable& logits, std::vector<ModelOutput>& outputs);

}  // namespace inlay
