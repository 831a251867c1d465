// What a step of training does to take less memory, the fastest way first.
#pragma once

#include <array>
#include <string_view>

#include "autograd/op_context.h"

namespace inlay {

enum class MemoryMode {
  kFast,       // weights packed for both directions, all values kept for the backward pass
  kUnpacked,   // products read the base's weights where they are stored
  kRecompute,  // packed weights, but values inside layers are computed again (nn/recomputed.h)
  kLow,        // both
};

inline constexpr std::array kMemoryModes{MemoryMode::kFast, MemoryMode::kUnpacked,
                                         MemoryMode::kRecompute, MemoryMode::kLow};

std::string_view memory_mode_name(MemoryMode mode);  // "fast", "unpacked", "recompute", "low"
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
