// One run from configuration to report: train on each split, test once, and write everything into
// the run's folder.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "check/check.h"
#include "runs/run_folder.h"
#include "train/trainer.h"
#include "train/workbench.h"

namespace inlay {

// Hears what happens besides the steps.
class RunObserver : public TrainObserver {
 public:
  // Before the first step; `peak` is the measured limit of matrix products, in operations per
  // second.
  virtual void opened(const Workbench&, double /*peak*/) {}
  // What the checks before training found.
  virtual void checked(const CheckReport&) {}
  virtual void fold(int64_t /*number*/, int64_t /*folds*/) {}
};

// Trains, tests, and writes manifest, metrics.jsonl, adapter, predictions and report. With
// RunStart::kResume a run that stopped goes on: finished folds are kept, the open one continues
// from its checkpoint. Returns what --json prints: run, adapter, metrics, seconds,
// tokens_per_second, peak_rss_bytes, share_of_peak, ...
Json run_training(const TrainConfig& config, const WorkbenchPaths& paths,
                  const std::filesystem::path& out, RunStart start, RunObserver& observer);

// Trains a finished run again in another folder, taking steps as it did: in the memory mode and the
// micro-batches that its checks chose, which the configuration may leave open. kUsage with what
// they would take where that is more than there is now.
Json repeat_training(const RunFolder& original, const WorkbenchPaths& paths,
                     const std::filesystem::path& out, RunObserver& observer);

// The configuration of a run's folder, finished or not; its defaults are resolved.
TrainConfig read_run_config(const std::filesystem::path& run);
// Where a split's own files are: the run's folder, or fold-N in it.
std::filesystem::path split_folder(const RunFolder& run, const Workbench& bench, std::size_t split);

}  // namespace inlay
