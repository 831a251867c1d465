// SSF: Lian et al. 2022, arXiv:2210.08823, eq. 4: what a layer gives is scaled and shifted channel
// by channel, y = gamma * x + beta. Here gamma starts at 1 and beta at 0, where the paper draws
// both with a deviation of 0.02: so a fresh adapter is the identity. A layer without a bias, such
// as a convolution before a batch norm, has gamma alone, so that all of it can be merged. Norms are
// left out: their own factors and addends do the same (ssf|ln_tuning, ssf|bn_tuning).
#include "adapters/method.h"
#include "adapters/targets.h"
#include "autograd/ops/bias.h"
#include "autograd/ops/scale_channels.h"
#include "nn/context.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

class SsfHook : public SiteHook {
 public:
  // `shift` is null for a layer without a bias.
  SsfHook(Parameter& scale, Parameter* shift) : scale_(scale), shift_(shift) {}

  Variable linear(Context& context, const LinearSite&, const Variable&, Variable y) override {
    return tuned(context, y);
  }
  Variable conv(Context& context, const ConvSite&, const Variable&, Variable y) override {
    return tuned(context, y);
  }

  // gamma W and gamma b + beta.
  bool merge(MergedTensors& merged) override {
    DType dtype = merged.weight.dtype();
    Tensor scale = scale_.value().to(dtype);
    Tensor shift = shift_ != nullptr ? shift_->value().to(dtype) : Tensor();
    with_real(dtype, [&](auto zero) {
      using T = decltype(zero);
      auto weight = matrix<T>(merged.weight);
      for (int64_t c = 0; c < scale.count(); ++c) weight.row(c) *= scale.data<T>()[c];
      if (!shift.defined()) return;
      T* bias = merged.bias.mutable_data<T>();
      for (int64_t c = 0; c < shift.count(); ++c)
        bias[c] = scale.data<T>()[c] * bias[c] + shift.data<T>()[c];
    });
    return true;
  }

 private:
  Variable tuned(Context& context, const Variable& y) const {
    Variable scaled = scale_channels(context, y, scale_);
    return shift_ == nullptr ? scaled : add_bias(context, scaled, *shift_);
  }

  Parameter& scale_;
  Parameter* shift_;
};

class Ssf : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("target_modules", targets_.target_modules,
          "names (suffixes) of linear layers and convolutions, or a pattern; empty: all of them");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    TargetRules rules = targets_;
    if (rules.target_modules.empty()) rules.target_modules = {".*"};
    return select_targets(base, {SiteKind::kLinear, SiteKind::kConv}, rules);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& scale = make.make(site, "ssf_scale", constant_init({site.out}, 1));
    Parameter* shift =
        site.bias.defined() ? &make.make(site, "ssf_shift", constant_init({site.out}, 0)) : nullptr;
    return std::make_unique<SsfHook>(scale, shift);
  }

 private:
  TargetRules targets_;
};

}  // namespace

const MethodInfo& method_ssf() {
  static const MethodInfo info{
      .name = "ssf",
      .summary = "Scales and shifts what linear layers and convolutions give.",
      .citation = "arXiv:2210.08823",
      .example = "ssf",
      .format = AdapterFormat::kNative,
      .learning_rate = 5e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Ssf>(); }};
  return info;
}

}  // namespace inlay
