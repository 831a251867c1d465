// A finished run, opened again: the same examples and splits, and the adapters that it left.
#pragma once

#include <vector>

#include "eval/opened_learner.h"
#include "runs/run_folder.h"
#include "train/workbench.h"

namespace inlay {

enum class RunSplit { kTrain, kValidation, kTest };
// "train", "validation", "test"; kUsage otherwise.
RunSplit run_split_from_name(const std::string& name);

// The outputs of a run's adapters on one part of its data; over folds, each fold's own part,
// pooled. kInput when base, tokenizer or data are no longer those of the run.
std::vector<ModelOutput> outputs_of_run(const RunFolder& run, const Workbench& bench,
                                        RunSplit part);

}  // namespace inlay
