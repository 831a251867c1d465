// What a person sees of a training on standard error: what was found before it, a progress line
// during it, a line per epoch.
#pragma once

#include "base/progress.h"
#include "train/training_run.h"

namespace inlay::cli {

class Narrator : public RunObserver {
 public:
  void opened(const Workbench& bench, double peak) override;
  void checked(const CheckReport& report) override;
  void fold(int64_t number, int64_t folds) override;
  void started(int64_t steps_done, int64_t epochs_done) override;
  void step(const StepReport& report) override;
  void epoch(const EpochReport& report) override;

 private:
  ProgressLine line_;
  std::string metric_name_;
  std::string metric_;  // its last value, as the line shows it
  double peak_ = 1;
  int64_t folds_left_ = 0;  // after this one
};

// The progress line: 79 characters for runs of a usual size, so that an ordinary terminal shows all
// of it.
//   step 120/420  1:20 left  loss 0.312  val 0.913  18,420 tok/s  61 % peak  243 MB
struct ProgressFigures {
  StepReport report;
  double seconds_left = 0;
  std::string metric;  // "  val 0.913", or "" before the first validation
  double share_of_peak = 0;
  uint64_t memory = 0;
};
std::string progress_text(const ProgressFigures& figures);

}  // namespace inlay::cli
