// How AdaLoRA (Zhang et al. 2023, arXiv:2303.10512, section 3) trains, as PEFT's RankAllocator runs
// it. Importance of a number p: I = |p dL/dp|; its running average and the running average of its
// distance from that, multiplied. A triplet scores the value's importance plus the means of its row
// of A and its column of B. After tinit steps the number of triplets that stay falls along a cubic
// from init_r to target_r per layer, until tfinal steps before the end; every deltaT steps those
// with the least scores over all layers have their value set to zero.
#pragma once

#include <memory>

#include "adapters/method_training.h"

namespace inlay {

struct AdaLoraOptions {
  int64_t tinit = 0, tfinal = 0, delta = 1;
  double beta1 = 0.85, beta2 = 0.85;
  double orthogonality = 0.5;

  // kUsage naming the field that makes no sense.
  void check() const;
};

std::unique_ptr<MethodTraining> make_adalora_training(Adapter& adapter, int64_t init_r,
                                                      int64_t target_r,
                                                      const AdaLoraOptions& options);

}  // namespace inlay
