// The document that runs/report.h draws, from what a run left: metrics.jsonl, manifest,
// predictions, summary.
#pragma once

#include <vector>

#include "runs/run_folder.h"
#include "train/workbench.h"

namespace inlay {

struct RunFigures {
  const Workbench* bench;
  const Task* task;
  const std::vector<ModelOutput>* outputs;  // of the test examples, pooled over folds
  const Json* summary;                      // as run_training() gives it
};

Json report_document(const RunFigures& figures, const RunFolder& run);

}  // namespace inlay
