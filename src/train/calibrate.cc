#include "train/calibrate.h"

#include "adapters/calibration.h"
#include "eval/batch_pass.h"
#include "eval/posed_examples.h"
#include "train/workbench.h"

namespace inlay {
namespace {

class BatchCalibration : public Calibration {
 public:
  BatchCalibration(const Learner& learner, const TrainConfig& config, Context& context,
                   const std::vector<const EncodedExample*>& train)
      : learner_(learner),
        config_(config),
        context_(context),
        batches_(batches_of_epoch(train, batch_plan(config), 0)) {}

  int64_t batches() const override { return static_cast<int64_t>(batches_.size()); }

  void forward(int64_t batch, SiteHooks& hooks) override {
    context_.tape.set_recording(false);
    pass(batch, hooks);
    context_.tape.set_recording(true);
  }

  void backward(int64_t batch, SiteHooks& hooks) override {
    pass(batch, hooks);
    if (learner_.head == nullptr) return;
    for (Parameter& parameter : learner_.head->parameters()) parameter.take_gradient();
  }

 private:
  void pass(int64_t batch, SiteHooks& hooks) {
    context_.adapters = {{.hooks = &hooks}};
    context_.seed = static_cast<uint64_t>(config_.seed);
    PosedExamples posed(*learner_.task, batches_.at(static_cast<std::size_t>(batch)),
                        {.kind = Occasion::Kind::kTraining, .epoch = 0});
    pass_batch(context_, learner_, posed.all(), config_.micro_batch, micro_batch_tokens(config_));
    context_.useful_flops = 0;
  }

  const Learner& learner_;
  const TrainConfig& config_;
  Context& context_;
  std::vector<std::vector<const EncodedExample*>> batches_;
};

}  // namespace

void calibrate(Learner& learner, const TrainConfig& config, Context& context,
               const std::vector<const EncodedExample*>& train) {
  if (learner.adapter == nullptr || !learner.adapter->method().needs_calibration()) return;
  BatchCalibration batches(learner, config, context, train);
  AdapterForm form = learner.adapter->method().calibrate(*learner.adapter, batches);
  context.adapters.clear();
  learner.adapter = Adapter::create(*learner.adapter, std::move(form), learner.model->facts());
}

}  // namespace inlay
