#include "adapters/batch_norm_hook.h"

#include <utility>

namespace inlay {
namespace {

class BatchNormHook : public SiteHook {
 public:
  explicit BatchNormHook(Replacements replacements) : replacements_(replacements) {}
  BatchNormHook(Replacements replacements, BatchEstimates estimates)
      : replacements_(replacements), estimates_(std::move(estimates)) {
    replacements_.estimates = &estimates_;
  }
  BatchNormHook(const BatchNormHook&) = delete;

  Replacements replacements() override { return replacements_; }

  bool merge(MergedTensors& merged) override {
    merged.weight = replacements_.weight->value().to(merged.weight.dtype());
    merged.bias = replacements_.bias->value().to(merged.bias.dtype());
    if (replacements_.estimates == nullptr) return true;
    merged.mean = estimates_.mean->value().to(merged.mean.dtype());
    merged.variance = estimates_.variance->value().to(merged.variance.dtype());
    return true;
  }

 private:
  Replacements replacements_;
  BatchEstimates estimates_;
};

// old + momentum (seen - old)
void move(Parameter& estimate, const Tensor& seen, double momentum) {
  Tensor moved = Tensor::empty(estimate.shape(), DType::kF32);
  for (int64_t c = 0; c < moved.count(); ++c) {
    double old = static_cast<double>(estimate.value().data<float>()[c]);
    double batch = static_cast<double>(seen.data<float>()[c]);
    moved.mutable_data<float>()[c] = static_cast<float>(old + momentum * (batch - old));
  }
  estimate.set_value(std::move(moved));
}

class MovingStatistics : public MethodTraining {
 public:
  MovingStatistics(Adapter& adapter, double momentum) : momentum_(momentum) {
    for (const Site* site : adapter.sites()) {
      BatchEstimates* estimates = adapter.at(site->index)->replacements().estimates;
      if (estimates != nullptr) estimates_.push_back(estimates);
    }
  }

  void after_step(StepPlace, const Gradients&) override {
    for (BatchEstimates* estimates : estimates_) {
      if (!estimates->seen.mean.defined()) continue;
      move(*estimates->mean, estimates->seen.mean, momentum_);
      move(*estimates->variance, estimates->seen.variance, momentum_);
      estimates->seen = {};
    }
  }

 private:
  double momentum_;
  std::vector<BatchEstimates*> estimates_;
};

}  // namespace

std::unique_ptr<SiteHook> own_batch_norm(const Site& site, ParameterMaker& make, bool estimates) {
  Replacements replaced;
  replaced.weight = &make.make(site, "weight", site.weight.to(DType::kF32));
  replaced.bias = &make.make(site, "bias", site.bias.to(DType::kF32));
  if (!estimates) return std::make_unique<BatchNormHook>(replaced);
  return std::make_unique<BatchNormHook>(
      replaced,
      BatchEstimates{.mean = &make.moved(site, "running_mean", site.mean.to(DType::kF32)),
                     .variance = &make.moved(site, "running_var", site.variance.to(DType::kF32))});
}

std::unique_ptr<MethodTraining> moving_statistics(Adapter& adapter, double momentum) {
  return std::make_unique<MovingStatistics>(adapter, momentum);
}

}  // namespace inlay
