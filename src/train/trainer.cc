#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "adapters/composition_tree.h"
#include "autograd/operands.h"
#include "base/process.h"
#include "data/batches.h"
#include "eval/batch_pass.h"
#include "eval/frozen_prefix.h"
#include "eval/posed_examples.h"
#include "train/schedule.h"
#include "train/workbench.h"

namespace inlay {
namespace {

constexpr double kLeastHeadRate = 1e-3;

using Examples = std::vector<const EncodedExample*>;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t token_count(const Examples& examples) {
  int64_t count = 0;
  for (const EncodedExample* example : examples) count += example->token_count();
  return count;
}

std::unique_ptr<MethodTraining> method_training(const Learner& learner) {
  return learner.adapter != nullptr ? learner.adapter->method().training(*learner.adapter)
                                    : nullptr;
}

// Adapter and head learn at rates of their own, and so may parts of an adapter. In the order of
// Learner::parameters().
std::vector<OptimizerGroup> optimizer_groups(const TrainConfig& config, const Learner& learner,
                                             const MethodTraining* method) {
  std::vector<OptimizerGroup> groups;
  if (learner.adapter != nullptr) {
    for (Adapter::Entry& entry : learner.adapter->entries()) {
      double factor = method != nullptr ? method->rate_factor(entry) : 1.0;
      if (entry.trained) groups.push_back({{&entry.parameter}, factor * config.learning_rate});
    }
  }
  if (learner.head != nullptr) {
    OptimizerGroup head{{}, config.head_learning_rate};
    for (Parameter& parameter : learner.head->parameters()) head.parameters.push_back(&parameter);
    groups.push_back(std::move(head));
  }
  return groups;
}

// Lets the method change gradients, and keeps them for it where it asks.
class MethodGradients : public GradientListener {
 public:
  MethodGradients(MethodTraining& method, Adapter& adapter) : method_(method) {
    for (Adapter::Entry& entry : adapter.entries()) entries_[&entry.parameter] = &entry;
  }

  void gradient(Parameter& parameter, Tensor& gradient) override {
    auto found = entries_.find(&parameter);
    if (found == entries_.end()) return;
    method_.transform(*found->second, gradient);
    if (method_.wants_gradients()) kept_[&parameter] = gradient;
  }
  const MethodTraining::Gradients& kept() const { return kept_; }

 private:
  MethodTraining& method_;
  std::map<const Parameter*, const Adapter::Entry*> entries_;
  MethodTraining::Gradients kept_;
};

}  // namespace

Trainer::Trainer(const TrainConfig& config, const Learner& learner, Context& context,
                 TrainParts parts)
    : config_(config),
      learner_(learner),
      context_(context),
      parts_(std::move(parts)),
      parameters_(learner.parameters()),
      method_(method_training(learner)),
      optimizer_({config.optimizer, config.weight_decay, config.momentum},
                 optimizer_groups(config, learner, method_.get())),
      steps_per_epoch_(static_cast<int64_t>(epoch_batches().size())) {}

int64_t Trainer::total_steps() const { return config_.epochs * steps_per_epoch_; }

std::vector<Examples> Trainer::epoch_batches() const {
  return batches_of_epoch(parts_.train, batch_plan(config_), state_.epoch);
}

TrainResult Trainer::run(const std::filesystem::path& checkpoint, TrainObserver& observer) {
  checkpoint_ = checkpoint;
  if (!checkpoint_.empty() && std::filesystem::exists(checkpoint_)) {
    state_ = load_checkpoint(checkpoint_, parameters_, best_, optimizer_, method_.get());
    digest_ = StepDigest::from_json(state_.digest, checkpoint_.string());
  }
  activate(context_, learner_);
  context_.seed = static_cast<uint64_t>(config_.seed);
  context_.useful_flops = 0;
  started_ = seconds_now();
  first_step_ = optimizer_.steps();
  observer.started(first_step_, state_.epoch);
  while (state_.epoch < config_.epochs && !out_of_patience()) {
    train_epoch(observer);
    finish_epoch(observer);
  }
  for (std::size_t i = 0; i < best_.size(); ++i) parameters_[i]->set_value(best_[i]);
  double seconds = std::max(1e-9, state_.train_seconds);
  return {state_, optimizer_.steps(), static_cast<double>(state_.tokens) / seconds,
          state_.flops / seconds, digest_};
}

bool Trainer::out_of_patience() const {
  return config_.patience > 0 && state_.epochs_without_gain >= config_.patience;
}

// The batch as the task poses it in this epoch. Its pictures are read while the step before runs,
// unless what the base makes of them is kept.
std::unique_ptr<ExamplesAhead> Trainer::posed(const Examples& batch) {
  PosedExamples examples(*learner_.task, batch,
                         {.kind = Occasion::Kind::kTraining, .epoch = state_.epoch});
  bool kept = learner_.prefix != nullptr && learner_.prefix->keeps();
  return kept ? std::make_unique<ExamplesAhead>(std::move(examples), false)
              : ahead_.begin(std::move(examples));
}

void Trainer::train_epoch(TrainObserver& observer) {
  std::vector<Examples> batches = epoch_batches();
  auto first = static_cast<std::size_t>(state_.batch);
  std::unique_ptr<ExamplesAhead> next;
  if (first < batches.size()) next = posed(batches[first]);
  for (std::size_t number = first; number < batches.size(); ++number) {
    const Examples& batch = batches[number];
    StepReport report;
    double begin = seconds_now();
    std::unique_ptr<ExamplesAhead> now = std::move(next);
    if (number + 1 < batches.size()) next = posed(batches[number + 1]);
    context_.step = static_cast<uint32_t>(optimizer_.steps());
    report.loss = train_batch(now->all());
    if (method_ != nullptr) report.loss += method_->regularise(place());
    report.gradient_norm = update(&report.learning_rate);
    state_.flops += std::exchange(context_.useful_flops, 0.0);
    double seconds = seconds_now() - begin;
    state_.train_seconds += seconds;
    epoch_seconds_ += seconds;
    state_.loss_sum += report.loss;
    ++state_.batch;
    state_.tokens += token_count(batch);
    digest_.add(optimizer_.steps(), report.loss, report.gradient_norm);
    report_step(report, observer);
    stop_if_interrupted();
    if (config_.checkpoint_steps > 0 && optimizer_.steps() % config_.checkpoint_steps == 0) save();
  }
}

// One optimizer step at its place in the schedule; gives the gradient's norm.
double Trainer::update(double* learning_rate) {
  auto warmup =
      static_cast<int64_t>(std::ceil(config_.warmup * static_cast<double>(total_steps())));
  double factor = schedule_factor(config_.schedule, optimizer_.steps(), total_steps(), warmup);
  *learning_rate = factor * config_.learning_rate;
  if (method_ == nullptr) return optimizer_.step(factor, config_.clip);
  StepPlace at = place();
  MethodGradients gradients(*method_, *learner_.adapter);
  double norm = optimizer_.step(factor, config_.clip, &gradients);
  method_->after_step(at, gradients.kept());
  return norm;
}

StepPlace Trainer::place() const { return {optimizer_.steps(), total_steps()}; }

void Trainer::stop_if_interrupted() const {
  if (interrupted()) stop();
}

void Trainer::stop() const {
  save();
  fail(ErrorKind::kInterrupted, "stopped after step {} of {}{}", optimizer_.steps(), total_steps(),
       checkpoint_.empty() ? "" : "; a checkpoint was written");
}

double Trainer::train_batch(const Examples& posed) {
  context_.training = true;
  double total =
      pass_batch(context_, learner_, posed, config_.micro_batch, micro_batch_tokens(config_));
  context_.training = false;
  require(std::isfinite(total), ErrorKind::kInput,
          "the loss is not a finite number at step {}; use a smaller learning rate or compute=f32, "
          "unless the base itself holds such values",
          optimizer_.steps() + 1);
  return total;
}

void Trainer::report_step(StepReport report, TrainObserver& observer) {
  double seconds = std::max(1e-9, state_.train_seconds);
  int64_t done = optimizer_.steps(), all = total_steps();
  auto steps_per_epoch = static_cast<double>(all) / static_cast<double>(config_.epochs);
  report.step = done;
  report.total_steps = all;
  report.epoch =
      static_cast<double>(state_.epoch) + static_cast<double>(state_.batch) / steps_per_epoch;
  report.tokens_per_second = static_cast<double>(state_.tokens) / seconds;
  report.flops_per_second = state_.flops / seconds;
  report.seconds_per_step = (seconds_now() - started_) / static_cast<double>(done - first_step_);
  observer.step(report);
}

Json Trainer::validate() {
  if (parts_.validation.empty()) return {};
  try {
    std::vector<ModelOutput> outputs = predict(context_, learner_, parts_.validation);
    context_.useful_flops = 0;
    return learner_.task->metrics(outputs);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInterrupted) stop();
    throw;
  }
}

// A figure that is undefined (null) is never the best.
bool Trainer::keep_if_best(const Json& validation, int64_t epoch) {
  if (method_ != nullptr && !method_->complete(place())) return false;
  const Json& figure = validation.at(config_.metric);
  bool best = false;
  if (figure.is_number()) {
    auto value = figure.get<double>();
    best = !state_.best_metric.has_value() || value > *state_.best_metric;
    if (best) state_.best_metric = value;
  }
  state_.epochs_without_gain = best ? 0 : state_.epochs_without_gain + 1;
  if (!best) return false;
  state_.best_epoch = epoch;
  best_.clear();
  for (Parameter* parameter : parameters_) best_.push_back(parameter->value().clone());
  return true;
}

void Trainer::finish_epoch(TrainObserver& observer) {
  EpochReport report{.epoch = state_.epoch + 1,
                     .step = optimizer_.steps(),
                     .seconds = std::exchange(epoch_seconds_, 0.0)};
  report.train_loss = state_.loss_sum / static_cast<double>(std::max<int64_t>(1, state_.batch));
  report.validation = validate();
  if (report.validation.is_object()) report.best = keep_if_best(report.validation, report.epoch);
  state_.evaluations.push_back({{"epoch", report.epoch},
                                {"step", report.step},
                                {"train_loss", report.train_loss},
                                {"validation", report.validation}});
  ++state_.epoch;
  state_.batch = 0;
  state_.loss_sum = 0;
  observer.epoch(report);
  save();
}

void Trainer::save() const {
  if (checkpoint_.empty()) return;
  TrainState state = state_;
  state.digest = digest_.to_json();
  save_checkpoint(checkpoint_, state, parameters_, best_, optimizer_, method_.get());
}

void check_micro_batch(const TrainConfig& config, const Learner& learner) {
  int64_t chunk = learner.gradient_chunk();
  require(
      config.micro_batch % chunk == 0, ErrorKind::kUsage,
      "micro_batch is {}; {} sums gradients over {} examples at a time, so use a multiple of {}",
      config.micro_batch, learner.adapter != nullptr ? learner.adapter->info().name : "this method",
      chunk, chunk);
  bool whole = config.micro_batch == 0 || config.micro_batch >= config.batch_size;
  require(whole || !learner.couples_batch(), ErrorKind::kUsage,
          "micro_batch is {}, but {} looks at all {} examples of a batch together; leave "
          "micro_batch out, or choose a smaller batch_size",
          config.micro_batch, learner.task->couples_batch() ? config.task : config.method,
          config.batch_size);
}

TrainConfig resolve_defaults(TrainConfig config) {
  const MethodInfo& method = is_composition(config.method) ? find_method("composition")
                                                           : *parse_method(config.method).info;
  if (config.learning_rate == 0) config.learning_rate = method.learning_rate;
  if (config.epochs == 0) config.epochs = method.epochs;
  if (config.head_learning_rate == 0)
    config.head_learning_rate = std::max(config.learning_rate, kLeastHeadRate);
  if (config.metric == "auto") config.metric = find_task(config.task).choosing_metrics.front();
  return config;
}

DType resolve_compute(const std::string& compute) {
  if (compute == "f32") return DType::kF32;
  if (compute == "bf16") return DType::kBF16;
  return cpu_isa() == "avx512_bf16" || cpu_isa() == "amx_bf16" ? DType::kBF16 : DType::kF32;
}

}  // namespace inlay
