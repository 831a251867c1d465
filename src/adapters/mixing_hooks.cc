#include "adapters/mixing_hooks.h"

#include <algorithm>
#include <utility>

#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "autograd/ops/choose_rows.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/row_attention.h"
#include "autograd/ops/scale.h"
#include "nn/initializers.h"
#include "nn/modules.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

constexpr float kFusionStd = 0.02f;
constexpr float kBesideDiagonal = 1e-6f;

// What average and split share: what each child gives at this site.
class MixingHook : public SiteHook {
 public:
  explicit MixingHook(Hooks hooks) : hooks_(std::move(hooks)) {}

  Variable linear(Context& context, const LinearSite& module, const Variable& x,
                  Variable y) override {
    std::vector<Variable> given;
    for (const auto& hook : hooks_) {
      require(hook == nullptr || !hook->input(context, x).defined(), ErrorKind::kUsage,
              "an adapter changes what {} reads, which can be stacked but not mixed with others",
              module.site.name);
      given.push_back(hook == nullptr ? y : hook->linear(context, module, x, y));
    }
    return mix(context, given);
  }

  Variable hidden(Context& context, const HiddenBlock& block) override {
    std::vector<Variable> given;
    bool any = false;
    for (const auto& hook : hooks_) {
      given.push_back(hook == nullptr ? Variable() : hook->hidden(context, block));
      any = any || given.back().defined();
    }
    if (!any) return {};
    for (Variable& part : given) {
      if (!part.defined()) part = scale(context, block.output, 0.0);
    }
    return mix(context, given);
  }

  // What each child makes of h, mixed as what it gives is: of a split the exact inverse.
  Variable inverse(Context& context, const Variable& h) override {
    std::vector<Variable> given;
    given.reserve(hooks_.size());
    bool any = false;
    for (const auto& hook : hooks_) {
      Variable before = hook == nullptr ? Variable() : hook->inverse(context, h);
      any = any || before.defined();
      given.push_back(before.defined() ? before : h);
    }
    return any ? mix(context, given) : Variable();
  }

 protected:
  virtual Variable mix(Context& context, const std::vector<Variable>& given) = 0;
  Hooks hooks_;
};

class AverageHook : public MixingHook {
 public:
  AverageHook(Hooks hooks, std::vector<double> weights)
      : MixingHook(std::move(hooks)), weights_(std::move(weights)) {}

  // Affine maps: the mean of what they give is what the mean of their tensors gives.
  bool merge(MergedTensors& merged) override {
    MergedTensors sum;
    for (std::size_t i = 0; i < hooks_.size(); ++i) {
      MergedTensors own{merged.weight.clone(),
                        merged.bias.defined() ? merged.bias.clone() : Tensor()};
      if (hooks_[i] != nullptr && !hooks_[i]->merge(own)) return false;
      add_weighted(own.weight, weights_[i], sum.weight);
      if (own.bias.defined()) add_weighted(own.bias, weights_[i], sum.bias);
    }
    merged = std::move(sum);
    return true;
  }

 protected:
  Variable mix(Context& context, const std::vector<Variable>& given) override {
    Variable sum = scale(context, given[0], weights_[0]);
    for (std::size_t i = 1; i < given.size(); ++i)
      sum = add_scaled(context, sum, given[i], weights_[i]);
    return sum;
  }

 private:
  static void add_weighted(const Tensor& value, double weight, Tensor& sum) {
    Tensor term = Tensor::empty(value.shape(), value.dtype());
    kernels::scale(in(value), weight, out(term), term.count());
    if (!sum.defined()) {
      sum = std::move(term);
    } else {
      kernels::add_in_place(out(sum), in(term), term.count());
    }
  }

  std::vector<double> weights_;
};

class SplitHook : public MixingHook {
 public:
  SplitHook(Hooks hooks, std::vector<int64_t> ends)
      : MixingHook(std::move(hooks)), ends_(std::move(ends)) {}

 protected:
  Variable mix(Context& context, const std::vector<Variable>& given) override {
    std::vector<std::size_t> choice;
    choice.reserve(static_cast<std::size_t>(given[0].rows()));
    for (int32_t position : given[0].row_space()->token_position) {
      auto end = std::upper_bound(ends_.begin(), ends_.end(), int64_t{position});
      choice.push_back(static_cast<std::size_t>(end - ends_.begin()));
    }
    return choose_rows(context, given, std::move(choice));
  }

 private:
  std::vector<int64_t> ends_;
};

class FusionHook : public SiteHook {
 public:
  FusionHook(const Site& site, const FusionTensors& tensors, Hooks hooks, bool norm_first)
      : site_(site), tensors_(tensors), hooks_(std::move(hooks)), norm_first_(norm_first) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    LinearWeights key{.weight = &tensors_.key_weight, .bias = &tensors_.key_bias};
    std::vector<Variable> keys, values;
    for (const auto& hook : hooks_) {
      Variable given = hook->hidden(context, block);
      keys.push_back(linear_of(context, given, key));
      values.push_back(linear_of(context, given, {.weight = &tensors_.value_weight}));
    }
    Variable query = linear_of(context, query_input(context, block),
                               {.weight = &tensors_.query_weight, .bias = &tensors_.query_bias});
    MixedRows result = row_attention(context, query, keys, values);
    if (context.tap != nullptr) context.tap->mixture(site_, result.weights);
    return std::move(result.mixed);
  }

 private:
  static Variable linear_of(Context& context, const Variable& x, const LinearWeights& weights) {
    return inlay::linear(context, x, weights, Precision::kFull);
  }

  Variable query_input(Context& context, const HiddenBlock& block) const {
    if (!norm_first_ || block.norm == nullptr) return block.output;
    const NormSite& norm = *block.norm;
    return layer_norm(context, block.output, block.residual,
                      {.gamma = norm.gamma, .beta = norm.beta, .eps = norm.eps});
  }

  const Site& site_;
  FusionTensors tensors_;
  Hooks hooks_;
  bool norm_first_;
};

void check_mixable(const Site& site, const Hooks& hooks) {
  bool place = site.kind == SiteKind::kLinear || site.kind == SiteKind::kHidden;
  bool plain = std::none_of(hooks.begin(), hooks.end(), [](const auto& hook) {
    return hook != nullptr && replaces_tensors(*hook);
  });
  require(place && plain, ErrorKind::kUsage,
          "an adapter {} the {} {}, which can be stacked but not mixed with others",
          plain ? "changes" : "replaces tensors of", site_kind_name(site.kind), site.name);
}

}  // namespace

std::unique_ptr<SiteHook> make_average_hook(const Site& site, Hooks hooks,
                                            std::vector<double> weights) {
  check_mixable(site, hooks);
  return std::make_unique<AverageHook>(std::move(hooks), std::move(weights));
}

std::unique_ptr<SiteHook> make_split_hook(const Site& site, Hooks hooks,
                                          std::vector<int64_t> ends) {
  check_mixable(site, hooks);
  return std::make_unique<SplitHook>(std::move(hooks), std::move(ends));
}

FusionTensors make_fusion_tensors(const Site& site, ParameterMaker& make, const std::string& name) {
  int64_t size = site.out;
  auto drawn = [&](const char* part) {
    std::string whole = name + part;
    return &make.make(site, whole, normal_init({size, size}, kFusionStd, make.stream(site, whole)));
  };
  auto zeros = [&](const char* part) {
    return &make.make(site, name + part, Tensor::zeros({size}, DType::kF32));
  };
  Tensor identity = Tensor::empty({size, size}, DType::kF32);
  for (int64_t i = 0; i < identity.count(); ++i)
    identity.mutable_data<float>()[i] = i % (size + 1) == 0 ? 1.0f : kBesideDiagonal;
  Parameter* query = drawn(".query.weight");
  Parameter* query_bias = zeros(".query.bias");
  Parameter* key = drawn(".key.weight");
  Parameter* key_bias = zeros(".key.bias");
  Parameter& value = make.make(site, name + ".value.weight", std::move(identity));
  return {*query, *query_bias, *key, *key_bias, value};
}

std::unique_ptr<SiteHook> make_fusion_hook(const Site& site, const FusionTensors& tensors,
                                           Hooks hooks, bool norm_first) {
  return std::make_unique<FusionHook>(site, tensors, std::move(hooks), norm_first);
}

}  // namespace inlay
