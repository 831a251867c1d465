// What a step of training does to take less memory: a ladder, each rung slower than the one before.
#pragma once

#include <array>
#include <string_view>

#include "autograd/op_context.h"

namespace inlay {

enum class MemoryMode {
  kFast,       // weights packed for both directions, all values kept for the backward pass
  kRecompute,  // values inside layers are computed again (nn/recomputed.h)
  kLow,        // and products read the base's weights where they are stored
};

inline constexpr std::array kMemoryModes{MemoryMode::kFast, MemoryMode::kRecompute,
                                         MemoryMode::kLow};

std::string_view memory_mode_name(MemoryMode mode);  // "fast", "recompute", "low"
// REQUIRES: one of these names.
MemoryMode memory_mode_named(std::string_view name);

// What a mode sets in a context.
struct StepWay {
  bool recompute = false;
  onednn::Reading weights = onednn::Reading::kPacked;
};
StepWay step_way(MemoryMode mode);
void use(OpContext& context, const StepWay& way);

}  // namespace inlay
