// A run that is stopped from outside, as by a signal.
#pragma once

#include "train/training_run.h"

namespace inlay {

struct Stopped {};

class StopAt : public RunObserver {
 public:
  explicit StopAt(int64_t step) : step_(step) {}
  void step(const StepReport& report) override {
    if (report.step == step_) throw Stopped{};
  }

 private:
  int64_t step_;
};

}  // namespace inlay
