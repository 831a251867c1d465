// The checks (check/check.h) of what a run is about to train.
#pragma once

#include "check/check.h"
#include "train/workbench.h"

namespace inlay {

// On the first split, or fold.
CheckReport check_run(const Workbench& bench, bool thorough);

// kUsage listing the errors that config.allow does not name.
void require_passed(const CheckReport& report, const TrainConfig& config);

}  // namespace inlay
