// The look at training batches that some methods begin with.
#pragma once

#include <vector>

#include "eval/learner.h"
#include "train/train_config.h"

namespace inlay {

// Where the learner's method asks for it, puts in place of its fresh adapter the one that training
// starts from. A function of configuration, seed and training examples alone, so a run that is
// resumed or repeated does it again with the same result.
void calibrate(Learner& learner, const TrainConfig& config, Context& context,
               const std::vector<const EncodedExample*>& train);

}  // namespace inlay
