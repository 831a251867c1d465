// A training stopped anywhere goes on from its last checkpoint as if nothing had happened: one
// safetensors file, replaced atomically, with parameters, optimizer state, the best parameters so
// far, and the counters as JSON in its metadata.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/method_training.h"
#include "base/json.h"
#include "train/optimizer.h"

namespace inlay {

struct TrainState {
  int64_t epoch = 0;  // epochs finished
  int64_t batch = 0;  // batches of the current epoch finished
  int64_t epochs_without_gain = 0;
  std::optional<double> best_metric;
  int64_t best_epoch = 0;  // 0: none has a metric yet
  double loss_sum = 0;     // of the current epoch
  double train_seconds = 0;
  double flops = 0;                  // useful operations in train_seconds
  int64_t tokens = 0;                // trained on so far
  Json evaluations = Json::array();  // validation figures per epoch
  Json digest = Json();              // StepDigest
};

// `best` holds a copy of each parameter at the best epoch, in the order of `parameters`; empty
// before the first; `method`'s state goes with them where there is one.
void save_checkpoint(const std::filesystem::path& path, const TrainState& state,
                     const std::vector<Parameter*>& parameters, const std::vector<Tensor>& best,
                     const Optimizer& optimizer, const MethodTraining* method = nullptr);

// Fills everything from the file. kInput when it belongs to other parameters.
TrainState load_checkpoint(const std::filesystem::path& path,
                           const std::vector<Parameter*>& parameters, std::vector<Tensor>& best,
                           Optimizer& optimizer, MethodTraining* method = nullptr);

}  // namespace inlay
