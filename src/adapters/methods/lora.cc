// LoRA: Hu et al. 2021, arXiv:2106.09685, eq. (3): h = W0 x + (alpha / r) B A x, with A random and
// B zero at the start. rsLoRA: Kalajdzievski 2023, arXiv:2312.03732: alpha / sqrt(r).
#include "autograd/ops/lora.h"

#include <cmath>

#include "adapters/delta_hook.h"
#include "adapters/lora_peft.h"
#include "adapters/method.h"
#include "adapters/targets.h"
#include "autograd/ops/dropout.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

class LoraHook : public SiteHook {
 public:
  LoraHook(Parameter& a, Parameter& b, float scale, double dropout, std::string stream)
      : a_(a), b_(b), scale_(scale), dropout_(dropout), stream_(std::move(stream)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    return lora(context, std::move(y), inlay::dropout(context, x, dropout_, stream_), a_, b_,
                scale_);
  }

  bool merge(MergedTensors& merged) override {
    Tensor delta = Tensor::empty(merged.weight.shape(), a_.value().dtype());
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(delta).noalias() =
          static_cast<T>(scale_) * const_matrix<T>(b_.value()) * const_matrix<T>(a_.value());
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  Parameter& a_;
  Parameter& b_;
  float scale_;
  double dropout_;
  std::string stream_;
};

class Lora : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank of the update");
    visit("alpha", alpha_, "the update is scaled by alpha / r");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    visit("use_rslora", use_rslora_, "scale by alpha / sqrt(r)");
    visit("target_modules", targets_.target_modules,
          "module names (suffixes), a pattern, or all-linear");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
    visit("rank_pattern", rank_pattern_, "other ranks for modules that a name or pattern matches");
    visit("alpha_pattern", alpha_pattern_,
          "other alphas for modules that a name or pattern matches");
    visit.choice("init_lora_weights", init_, {"kaiming", "gaussian"},
                 "how A starts; B starts at zero");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(dropout_ >= 0 && dropout_ < 1, ErrorKind::kUsage,
            "lora: dropout is {}; expected 0 or more and below 1", dropout_);
    std::vector<const Site*> sites = select_targets(base, SiteKind::kLinear, targets_);
    check_patterns(rank_pattern_, sites, "rank_pattern");
    check_patterns(alpha_pattern_, sites, "alpha_pattern");
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t rank = rank_at(site);
    Stream stream = make.stream(site, "lora_A.weight");
    Tensor start = init_ == "gaussian"
                       ? normal_init({rank, site.in}, 1.0f / static_cast<float>(rank), stream)
                       : kaiming_uniform_init({rank, site.in}, stream);
    Parameter& a = make.make(site, "lora_A.weight", std::move(start));
    Parameter& b = make.make(site, "lora_B.weight", Tensor::zeros({site.out, rank}, DType::kF32));
    double alpha = pattern_value(alpha_pattern_, site.name, alpha_);
    require(alpha != 0, ErrorKind::kUsage,
            "lora: alpha is 0 at {}, so that the update would have no effect; expected another "
            "number",
            site.name);
    double scale =
        alpha / (use_rslora_ ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
    return std::make_unique<LoraHook>(a, b, static_cast<float>(scale), dropout_,
                                      "dropout/lora/" + site.name);
  }

 private:
  int64_t rank_at(const Site& site) const {
    double rank = pattern_value(rank_pattern_, site.name, static_cast<double>(r_));
    int64_t limit = std::min(site.in, site.out);
    require(rank >= 1 && rank == std::floor(rank), ErrorKind::kUsage,
            "lora: rank {} at {}; expected a whole number from 1", rank, site.name);
    require(rank <= static_cast<double>(limit), ErrorKind::kUsage,
            "lora: rank {} exceeds min(in {}, out {}) of {}; use r <= {}", rank, site.in, site.out,
            site.name, limit);
    return static_cast<int64_t>(rank);
  }

  int64_t r_ = 8;
  double alpha_ = 16;
  double dropout_ = 0;
  bool use_rslora_ = false;
  TargetRules targets_{.target_modules = {"all-linear"}};
  std::map<std::string, double> rank_pattern_, alpha_pattern_;
  std::string init_ = "kaiming";
};

}  // namespace

const MethodInfo& method_lora() {
  static const MethodInfo info{
      .name = "lora",
      .summary = "Adds a trained low-rank update to linear layers.",
      .citation = "arXiv:2106.09685",
      .example = "lora[r=8,alpha=16,target_modules=all-linear]",
      .format = AdapterFormat::kPeft,
      .peft = &lora_peft_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Lora>(); }};
  return info;
}

}  // namespace inlay
