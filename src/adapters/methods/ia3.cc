// (IA)3: Liu et al. 2022, arXiv:2205.05638, section 3.3: keys, values and the inner activations of
// the feed-forward part are multiplied by learned vectors that start at one:
//   softmax(Q (l_k * K)^T / sqrt(d)) (l_v * V)   and   W_down (l_ff * f(W_up x)).
// As in PEFT, a vector of attention scales what the layer gives, bias included, and that of the
// feed-forward part what the down projection reads: after the activation. AdapterHub's scales
// before it, so that the two are different functions and are never converted into each other.
#include <algorithm>

#include "adapters/adapterhub_lora.h"
#include "adapters/method.h"
#include "adapters/peft_form.h"
#include "adapters/targets.h"
#include "autograd/ops/scale_channels.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

Tensor ones(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  std::fill_n(tensor.mutable_data<float>(), tensor.count(), 1.0f);
  return tensor;
}

// What the layer gives times l: the rows of W and the bias.
class OutputScaling : public SiteHook {
 public:
  explicit OutputScaling(Parameter& factors) : factors_(factors) {}

  Variable linear(Context& context, const LinearSite&, const Variable&, Variable y) override {
    return scale_channels(context, y, factors_);
  }

  bool merge(MergedTensors& merged) override {
    Tensor factors = factors_.value().to(merged.weight.dtype());
    with_real(factors.dtype(), [&](auto zero) {
      using T = decltype(zero);
      auto l = const_matrix<T>(factors).col(0);
      matrix<T>(merged.weight).array().colwise() *= l.array();
      if (merged.bias.defined()) matrix<T>(merged.bias).row(0).array() *= l.transpose().array();
    });
    return true;
  }

 private:
  Parameter& factors_;
};

// What the layer reads times l: the columns of W.
class InputScaling : public SiteHook {
 public:
  explicit InputScaling(Parameter& factors) : factors_(factors) {}

  Variable input(Context& context, const Variable& x) override {
    return scale_channels(context, x, factors_);
  }

  bool merge(MergedTensors& merged) override {
    Tensor factors = factors_.value().to(merged.weight.dtype());
    with_real(factors.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(merged.weight).array().rowwise() *= const_matrix<T>(factors).row(0).array();
    });
    return true;
  }

 private:
  Parameter& factors_;
};

using Names = std::vector<std::string>;

// Whether the site's vector scales what the layer reads.
bool scales_input(const Site& site, const Names& target_modules, const Names& feedforward_modules) {
  if (feedforward_modules.empty()) return target_modules.empty() && site.role == SiteRole::kDown;
  return std::any_of(feedforward_modules.begin(), feedforward_modules.end(),
                     [&](const std::string& name) { return matches_target(site.name, name); });
}

class Ia3 : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("target_modules", targets_.target_modules,
          "module names (suffixes) or a pattern; empty: keys, values and down projections");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
    visit("feedforward_modules", feedforward_modules_,
          "those targets whose input is scaled, by name; with no target_modules: the down "
          "projections");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    std::vector<const Site*> sites =
        by_role() ? selected_by_role(base) : select_targets(base, {SiteKind::kLinear}, targets_);
    for (const std::string& name : feedforward_modules_) {
      require(std::any_of(sites.begin(), sites.end(),
                          [&](const Site* site) { return matches_target(site->name, name); }),
              ErrorKind::kUsage,
              "ia3: feedforward_modules names \"{}\", which is none of the adapted modules; name "
              "some of target_modules",
              name);
    }
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    if (scales_input(site, targets_.target_modules, feedforward_modules_))
      return std::make_unique<InputScaling>(make.make(site, "ia3_l", ones({1, site.in})));
    return std::make_unique<OutputScaling>(make.make(site, "ia3_l", ones({site.out, 1})));
  }

 private:
  bool by_role() const { return targets_.target_modules.empty(); }

  std::vector<const Site*> selected_by_role(const BaseFacts& base) const {
    TargetRules all = targets_;
    all.target_modules = {"all-linear"};
    std::vector<const Site*> sites = select_targets(base, {SiteKind::kLinear}, all);
    std::erase_if(sites, [](const Site* site) {
      return site->role != SiteRole::kKey && site->role != SiteRole::kValue &&
             site->role != SiteRole::kDown;
    });
    require(!sites.empty(), ErrorKind::kUsage,
            "ia3: this {} base has no module whose role is known to be key, value or down "
            "projection; give target_modules and feedforward_modules",
            base.model_type);
    return sites;
  }

  TargetRules targets_;
  std::vector<std::string> feedforward_modules_;
};

// PEFT wants each of feedforward_modules among target_modules, letter for letter: both hold whole
// names.
void write_modules(const Json& fields, const SiteSet& adapted, Json& config) {
  auto targets = fields.at("target_modules").get<Names>();
  auto feedforward = fields.at("feedforward_modules").get<Names>();
  Names all, inner;
  for (const Site* site : adapted) {
    all.push_back(site->name);
    if (scales_input(*site, targets, feedforward)) inner.push_back(site->name);
  }
  std::sort(all.begin(), all.end());
  std::sort(inner.begin(), inner.end());
  config["target_modules"] = all;
  config["exclude_modules"] = nullptr;
  config["layers_to_transform"] = nullptr;
  config["feedforward_modules"] = inner;
}

// PEFT's rule: a module is of the feed-forward part where its name ends in one of the list.
void read_modules(const Json& config, const SiteSet& adapted, const std::string& where,
                  Json& fields) {
  Json given = config.value("feedforward_modules", Json());
  bool names = given.is_null() || given.is_array();
  for (const Json& name : given.is_array() ? given : Json::array())
    names = names && name.is_string();
  require(names, ErrorKind::kInput,
          "{}: \"feedforward_modules\" is no list of module names; write it as one", where);
  Names inner;
  for (const Site* site : adapted) {
    bool ends = std::any_of(given.begin(), given.end(), [&](const Json& name) {
      auto text = name.get<std::string>();
      return site->name.ends_with(text) || text.ends_with("." + site->name);
    });
    if (ends) inner.push_back(site->name);
  }
  std::sort(inner.begin(), inner.end());
  fields["feedforward_modules"] = inner;
}

const PeftForm& ia3_form() {
  static const PeftForm form{.type = "IA3",
                             .keys = {{"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"feedforward_modules", nullptr, PeftKey::kCustom},
                                      {"init_ia3_weights", true, PeftKey::kNoMatter}},
                             .write = write_modules,
                             .read = read_modules};
  return form;
}

}  // namespace

const MethodInfo& method_ia3() {
  static const MethodInfo info{
      .name = "ia3",
      .summary = "Scales keys, values and inner activations by learned vectors.",
      .citation = "arXiv:2205.05638",
      .example = "ia3",
      .format = AdapterFormat::kPeft,
      .peft = &ia3_form(),
      .adapterhub = &ia3_adapterhub_form(),
      .learning_rate = 1e-2,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Ia3>(); }};
  return info;
}

}  // namespace inlay
