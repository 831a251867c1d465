// The loop: effective batches, micro-batches, one optimizer step each; validation after every
// epoch; the best epoch's parameters at the end. Bits depend on configuration, data and seed alone:
// not on threads, on how a batch is cut into micro-batches (f32), or on being interrupted and
// resumed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adapters/method_training.h"
#include "data/splits.h"
#include "eval/learner.h"
#include "eval/pixels_ahead.h"
#include "runs/step_digest.h"
#include "train/checkpoint.h"
#include "train/train_config.h"

namespace inlay {

// What a step or an epoch did, for the progress line and the log.
struct StepReport {
  int64_t step = 0, total_steps = 0;
  double epoch = 0;  // with the share of the current one
  double loss = 0, gradient_norm = 0, learning_rate = 0;
  double tokens_per_second = 0;
  double flops_per_second = 0;
  double seconds_per_step = 0;  // of this process, validation included
};

struct EpochReport {
  int64_t epoch = 0, step = 0;
  double train_loss = 0;
  double seconds = 0;  // of its steps, in this process
  Json validation;     // figures by name; null without a validation part
  bool best = false;
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  // Before the first step; both are 0 unless a checkpoint is gone on from.
  virtual void started(int64_t /*steps_done*/, int64_t /*epochs_done*/) {}
  virtual void step(const StepReport&) {}
  virtual void epoch(const EpochReport&) {}
};

struct TrainResult {
  TrainState state;
  int64_t steps = 0;
  double tokens_per_second = 0;
  double flops_per_second = 0;
  StepDigest digest{1};
};

struct TrainParts {
  std::vector<const EncodedExample*> train;
  std::vector<const EncodedExample*> validation;
};

class Trainer {
 public:
  // `epochs`, `learning_rate` and `metric` are resolved: see resolve_defaults(). All references
  // must outlive the trainer.
  Trainer(const TrainConfig& config, const Learner& learner, Context& context, TrainParts parts);

  // Trains to the end, or until interrupted() (kInterrupted, after a checkpoint). With a path,
  // checkpoints are written there and an existing one is continued from. Afterwards the learner
  // holds the best epoch's parameters.
  TrainResult run(const std::filesystem::path& checkpoint, TrainObserver& observer);

 private:
  void train_epoch(TrainObserver& observer);
  std::unique_ptr<ExamplesAhead> posed(const std::vector<const EncodedExample*>& batch);
  double train_batch(const std::vector<const EncodedExample*>& posed);
  double update(double* learning_rate);
  StepPlace place() const;
  void report_step(StepReport report, TrainObserver& observer);
  Json validate();
  bool keep_if_best(const Json& validation, int64_t epoch);
  void finish_epoch(TrainObserver& observer);
  void save() const;
  void stop_if_interrupted() const;
  [[noreturn]] void stop() const;
  bool out_of_patience() const;
  std::vector<std::vector<const EncodedExample*>> epoch_batches() const;
  int64_t total_steps() const;

  const TrainConfig& config_;
  const Learner& learner_;
  Context& context_;
  TrainParts parts_;
  std::vector<Parameter*> parameters_;
  std::unique_ptr<MethodTraining> method_;  // null: nothing beyond gradients
  Optimizer optimizer_;
  int64_t steps_per_epoch_;
  TrainState state_;
  StepDigest digest_{50};
  std::vector<Tensor> best_;
  PixelsAhead ahead_;
  std::filesystem::path checkpoint_;
  double started_ = 0;      // seconds, when this process began to train
  int64_t first_step_ = 0;  // of this process
  double epoch_seconds_ = 0;
};

// Fails (kUsage) when micro_batch would cut through a chunk whose gradients are summed together.
void check_micro_batch(const TrainConfig& config, const Learner& learner);

// Fills in what the configuration leaves to the method and the task: epochs, learning rates and the
// metric.
TrainConfig resolve_defaults(TrainConfig config);

// The compute type of "auto", "f32" or "bf16" on this CPU.
DType resolve_compute(const std::string& compute);

}  // namespace inlay
