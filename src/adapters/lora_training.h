// LoRA+ (Hayou et al. 2024, arXiv:2402.12354): B and its bias learn at a multiple of A's rate.
// LoRA-FA (Zhang et al. 2023, arXiv:2308.03303) with the gradient of PEFT's optimizer: A stays, and
// g_B becomes (1 / s^2) g_B (A A^T + 1e-8 I)^-1, the step in B whose B A is nearest to a step of
// full fine-tuning.
#pragma once

#include <map>
#include <memory>

#include "adapters/method_training.h"

namespace inlay {

struct LoraTrainingOptions {
  double rate_ratio = 1;  // of B over A
  bool fixed_a = false;
  std::map<const Site*, double> scales;
};
std::unique_ptr<MethodTraining> make_lora_training(const Adapter& adapter,
                                                   LoraTrainingOptions options);

}  // namespace inlay
