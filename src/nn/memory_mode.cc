#include "nn/memory_mode.h"

#include "base/error.h"

namespace inlay {

std::string_view memory_mode_name(MemoryMode mode) {
  switch (mode) {
    case MemoryMode::kFast:
      return "fast";
    case MemoryMode::kUnpacked:
      return "unpacked";
    case MemoryMode::kRecompute:
      return "recompute";
    case MemoryMode::kLow:
      return "low";
  }
  fail(ErrorKind::kInternal, "an unknown memory mode");
}

MemoryMode memory_mode_named(std::string_view name) {
  for (MemoryMode mode : kMemoryModes) {
    if (memory_mode_name(mode) == name) return mode;
  }
  fail(ErrorKind::kInternal, "there is no memory mode \"{}\"", name);
}

StepWay step_way(MemoryMode mode) {
  bool recompute = mode == MemoryMode::kRecompute || mode == MemoryMode::kLow;
  bool packed = mode == MemoryMode::kFast || mode == MemoryMode::kRecompute;
  return {.recompute = recompute,
          .weights = packed ? onednn::Reading::kPacked : onednn::Reading::kStored};
}

void use(OpContext& context, const StepWay& way) {
  context.recompute = way.recompute;
  context.weights = way.weights;
}

}  // namespace inlay
