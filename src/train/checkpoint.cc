#include "train/checkpoint.h"

#include "base/error.h"

namespace inlay {
namespace {

// Exact: JSON numbers are written in shortest round-trip form.
Json state_json(const TrainState& state, int64_t steps) {
  return {{"epoch", state.epoch},
          {"batch", state.batch},
          {"epochs_without_gain", state.epochs_without_gain},
          {"best_metric", state.best_metric.has_value() ? Json(*state.best_metric) : Json()},
          {"best_epoch", state.best_epoch},
          {"loss_sum", state.loss_sum},
          {"train_seconds", state.train_seconds},
          {"flops", state.flops},
          {"tokens", state.tokens},
          {"evaluations", state.evaluations},
          {"digest", state.digest},
          {"steps", steps}};
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainState& state,
                     const std::vector<Parameter*>& parameters, const std::vector<Tensor>& best,
                     const Optimizer& optimizer, const MethodTraining* method) {
  std::vector<NamedTensor> tensors = optimizer.state();
  if (method != nullptr) {
    for (NamedTensor& tensor : method->state()) tensors.push_back(std::move(tensor));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    tensors.push_back({"parameter." + parameters[i]->name(), parameters[i]->value()});
    if (!best.empty()) tensors.push_back({"best." + parameters[i]->name(), best[i]});
  }
  write_safetensors(path, tensors,
                    {{"inlay_state", canonical_json(state_json(state, optimizer.steps()))}});
}

TrainState load_checkpoint(const std::filesystem::path& path,
                           const std::vector<Parameter*>& parameters, std::vector<Tensor>& best,
                           Optimizer& optimizer, MethodTraining* method) {
  SafetensorsFile file = SafetensorsFile::open(path);
  std::string where = path.string();
  auto found = file.metadata().find("inlay_state");
  require(found != file.metadata().end(), ErrorKind::kInput,
          "{}: not a checkpoint: inlay_state is missing", where);
  Json json = parse_json(found->second, where);
  TrainState state;
  state.epoch = json_get<int64_t>(json, "epoch", where);
  state.batch = json_get<int64_t>(json, "batch", where);
  state.epochs_without_gain = json_get<int64_t>(json, "epochs_without_gain", where);
  if (!json.at("best_metric").is_null())
    state.best_metric = json_get<double>(json, "best_metric", where);
  state.best_epoch = json_get<int64_t>(json, "best_epoch", where);
  state.loss_sum = json_get<double>(json, "loss_sum", where);
  state.train_seconds = json_get<double>(json, "train_seconds", where);
  state.flops = json_get<double>(json, "flops", where);
  state.tokens = json_get<int64_t>(json, "tokens", where);
  state.evaluations = json.at("evaluations");
  state.digest = json.at("digest");
  best.clear();
  for (Parameter* parameter : parameters) {
    Tensor value = file.tensor("parameter." + parameter->name());
    require(value.shape() == parameter->shape(), ErrorKind::kInput,
            "{}: {} has shape {}, expected {}", where, parameter->name(), value.shape().text(),
            parameter->shape().text());
    parameter->set_value(value.clone());
    if (state.best_metric.has_value())
      best.push_back(file.tensor("best." + parameter->name()).clone());
  }
  optimizer.restore(json_get<int64_t>(json, "steps", where), file);
  if (method != nullptr) method->restore(file);
  return state;
}

}  // namespace inlay
