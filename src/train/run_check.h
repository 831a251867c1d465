// The checks (check/check.h) of what a run is about to train.
#pragma once

#include <optional>

#include "check/check.h"
#include "train/workbench.h"

namespace inlay {

// On the first split, or fold. `memory`: the only way of taking steps that is looked at; unset: as
// the configuration says.
CheckReport check_run(const Workbench& bench, bool thorough,
                      const std::optional<MemoryPlan>& memory = std::nullopt);

// kUsage listing the errors that config.allow does not name.
void require_passed(const CheckReport& report, const TrainConfig& config);

}  // namespace inlay
