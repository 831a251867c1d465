// An effective batch on its way through the model and back.
#pragma once

#include <vector>

#include "eval/learner.h"

namespace inlay {

// The most tokens of a micro-batch of several examples, where nobody says how many it has.
inline constexpr int64_t kMicroBatchTokens = 8192;

struct BatchPlan {
  uint64_t seed = 0;
  int64_t batch_size = 1;   // examples, or packs of them
  int64_t pack_tokens = 0;  // of a pack; 0: none
};

// The batches of an epoch, in order: the examples as the seed shuffles them for that epoch, or
// packs of them (data/chat/pack_sequences.h), of which there are as many in every epoch.
std::vector<std::vector<const EncodedExample*>> batches_of_epoch(ExampleSpan examples,
                                                                 const BatchPlan& plan,
                                                                 int64_t epoch);

// Runs a batch in micro-batches of at most `micro_batch` examples (0: of at most `most_tokens`
// tokens where that is more than one example) and, while the
// tape records, leaves its gradients in the parameters. Gives the loss. The bits depend on the
// micro-batches in no way. `posed` are examples as the task poses them.
double pass_batch(Context& context, const Learner& learner,
                  const std::vector<const EncodedExample*>& posed, int64_t micro_batch,
                  int64_t most_tokens = kMicroBatchTokens);

}  // namespace inlay
