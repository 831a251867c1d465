// LoRA: Hu et al. 2021, arXiv:2106.09685, eq. (3): h = W0 x + (alpha / r) B A x, with A random and
// B zero at the start. rsLoRA: Kalajdzievski 2023, arXiv:2312.03732: alpha / sqrt(r). DoRA: Liu et
// al. 2024, arXiv:2402.09353, eq. (5): W' = m (W0 + s B A) / |W0 + s B A|, row by row, the norm a
// constant to the gradient (section 4.3). LoRA+: Hayou et al. 2024, arXiv:2402.12354. LoRA-FA:
// Zhang et al. 2023, arXiv:2308.03303. use_gating: UniPELT's gate in place of the scale, Mao et al.
// 2021, arXiv:2110.07577. Starts: see low_rank_start.h.
#include <algorithm>
#include <cmath>

#include "adapters/adapterhub_lora.h"
#include "adapters/conv_low_rank_hook.h"
#include "adapters/dora_norm.h"
#include "adapters/lora_calibration.h"
#include "adapters/lora_peft.h"
#include "adapters/lora_training.h"
#include "adapters/low_rank_hook.h"
#include "adapters/low_rank_start.h"
#include "adapters/method.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr const char* kFirstA = "lora_A0";
constexpr const char* kFirstB = "lora_B0";

// The rows of `above`, then those of `below`.
Tensor stacked_rows(const Tensor& above, const Tensor& below) {
  Tensor both = Tensor::empty({above.dim(0) + below.dim(0), above.dim(1)}, above.dtype());
  std::copy_n(above.data<float>(), above.count(), both.mutable_data<float>());
  std::copy_n(below.data<float>(), below.count(), both.mutable_data<float>() + above.count());
  return both;
}

// [left, -right]
Tensor joined_columns(const Tensor& left, const Tensor& right) {
  int64_t rows = left.dim(0), own = left.dim(1), other = right.dim(1);
  Tensor both = Tensor::empty({rows, own + other}, left.dtype());
  for (int64_t i = 0; i < rows; ++i) {
    float* dst = both.mutable_data<float>() + i * (own + other);
    std::copy_n(left.data<float>() + i * own, own, dst);
    std::transform(right.data<float>() + i * other, right.data<float>() + (i + 1) * other,
                   dst + own, std::negate<>());
  }
  return both;
}

class Lora : public RankedMethod {
 public:
  Lora() : RankedMethod(8, 16, {SiteRole::kQuery, SiteRole::kValue}) {
    rules_.target_modules = {"all-linear"};
  }

  void fields(FieldVisitor& visit) override {
    rank_fields(visit);
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    visit("use_rslora", use_rslora_, "scale by alpha / sqrt(r)");
    target_fields(visit);
    visit.choice("init_lora_weights", init_,
                 {"kaiming", "gaussian", "pissa", "olora", "orthogonal", "eva", "lora_ga"},
                 "how A starts, B starting at zero; or how both do: saved is what is valid for the "
                 "unchanged base");
    visit("pissa_niter", pissa_niter_,
          "power iterations of a randomised SVD for pissa; 0: the exact one");
    visit("eva_rho", eva_rho_, "with eva, the most that a layer's rank may be, in terms of r");
    visit("lora_ga_gamma", lora_ga_gamma_, "with lora_ga, the larger the smaller the start");
    visit("use_dora", use_dora_,
          "learn the lengths of the weight's rows apart from their directions");
    visit("lora_bias", lora_bias_, "train a bias with B");
    visit("use_gating", use_gating_,
          "a factor of the update for each text, learned from it, in place of alpha / r");
    visit("lora_fa", lora_fa_, "train B alone, its gradient corrected for a fixed A (LoRA-FA)");
    visit("loraplus_lr_ratio", lora_plus_, "learning rate of B over that of A (LoRA+)");
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    if (site.kind == SiteKind::kConv) return attach_to_convolution(site, make);
    LowRankParts parts;
    parts.trained.a = !lora_fa_;
    parts.scale = static_cast<float>(scale_at(site));
    parts.dropout = dropout_;
    parts.stream = "dropout/lora/" + site.name;
    LowRankFactors start = start_at(site, make);
    parts.a = lora_fa_ ? &make.fixed(site, "lora_A.weight", start.a)
                       : &make.make(site, "lora_A.weight", start.a);
    parts.b = &make.make(site, "lora_B.weight", start.b);
    if (lora_bias_)
      parts.bias = &make.make(site, "lora_B.bias", Tensor::zeros({site.out}, DType::kF32));
    if (use_gating_) {
      parts.scale = 1;
      parts.gate.emplace(site, site.in, make);
    }
    if (use_dora_) parts.magnitude = &make.make(site, "lora_magnitude_vector", row_lengths(site));
    if (keeps_start()) {
      parts.first_a = &make.fixed(site, kFirstA, start.a.clone());
      parts.first_b = &make.fixed(site, kFirstB, start.b.clone());
    }
    return make_low_rank_hook(site, parts);
  }

  // Equal to rounding where a start makes B A zero without being zero.
  bool identity_at_start() const override { return init_ != "orthogonal"; }
  bool gradient_is_exact() const override { return !use_dora_; }
  // PEFT has no gates.
  bool fits_format() const override { return !use_gating_; }

  // s (B A - B0 A0) as one update of twice the rank, with the same s.
  AdapterForm finished(const Adapter& adapter) const override {
    if (!keeps_start()) return {};
    auto plain = std::make_unique<Lora>(*this);
    double growth = use_rslora_ ? std::sqrt(2.0) : 2.0;
    plain->r_ *= 2;
    plain->alpha_ *= growth;
    for (auto& [key, rank] : plain->rank_pattern_) rank *= 2;
    for (auto& [key, alpha] : plain->alpha_pattern_) alpha *= growth;
    plain->init_ = "kaiming";
    plain->pissa_niter_ = 0;
    std::map<std::string, Tensor> values = values_of(adapter), joined;
    for (const Site* site : adapter.sites()) {
      std::string a = site->name + ".lora_A.weight", b = site->name + ".lora_B.weight";
      joined[a] = stacked_rows(values.at(a), values.at(site->name + "." + kFirstA));
      joined[b] = joined_columns(values.at(b), values.at(site->name + "." + kFirstB));
      if (lora_bias_) joined[site->name + ".lora_B.bias"] = values.at(site->name + ".lora_B.bias");
    }
    return {std::move(plain), std::move(joined)};
  }

  bool needs_calibration() const override { return init_ == "eva" || init_ == "lora_ga"; }
  AdapterForm calibrate(Adapter& adapter, Calibration& batches) const override {
    return init_ == "eva" ? eva(adapter, batches) : lora_ga(adapter, batches);
  }

  bool trains_together() const override {
    return !lora_fa_ && lora_plus_ == 1 && !keeps_start() && !needs_calibration();
  }
  std::unique_ptr<MethodTraining> training(Adapter& adapter) const override {
    if (!lora_fa_ && lora_plus_ == 1) return nullptr;
    std::map<const Site*, double> scales;
    for (const Site* site : adapter.sites()) scales[site] = scale_at(*site);
    return make_lora_training(adapter, {lora_plus_, lora_fa_, std::move(scales)});
  }

 protected:
  void check() const override {
    check_probability("lora: dropout", dropout_);
    require(lora_plus_ > 0 && std::isfinite(lora_plus_), ErrorKind::kUsage,
            "lora: loraplus_lr_ratio is {}; expected a number above 0, such as 16", lora_plus_);
    require(pissa_niter_ >= 0, ErrorKind::kUsage, "lora: pissa_niter is {}; expected 0 or more",
            pissa_niter_);
    require(pissa_niter_ == 0 || init_ == "pissa", ErrorKind::kUsage,
            "lora: pissa_niter is for init_lora_weights=pissa, which is {}", init_);
    require(eva_rho_ >= 1, ErrorKind::kUsage, "lora: eva_rho is {}; expected 1 or more", eva_rho_);
    require(lora_ga_gamma_ > 0, ErrorKind::kUsage,
            "lora: lora_ga_gamma is {}; expected a number above 0", lora_ga_gamma_);
    bool plain = init_ == "kaiming" || init_ == "gaussian";
    require(!lora_bias_ || plain, ErrorKind::kUsage,
            "lora: lora_bias is for init_lora_weights=kaiming or gaussian, as in PEFT; it is {}",
            init_);
    require(!lora_bias_ || !use_dora_, ErrorKind::kUsage,
            "lora: lora_bias and use_dora exclude each other, as in PEFT; leave one out");
    require(!use_dora_ || !keeps_start(), ErrorKind::kUsage,
            "lora: use_dora takes lengths of the base's own rows, and init_lora_weights={} would "
            "move part of them; use kaiming, gaussian or orthogonal",
            init_);
    if (use_gating_) check_gating();
  }

  double scale_at(const Site& site) const override {
    auto rank = static_cast<double>(rank_at(site));
    return alpha_at(site) / (use_rslora_ ? std::sqrt(rank) : rank);
  }

  int64_t rank_at(const Site& site) const override {
    int64_t rank = RankedMethod::rank_at(site), limit = std::min(site.in, site.out);
    require(!keeps_start() || 2 * rank <= limit, ErrorKind::kUsage,
            "lora: init_lora_weights={} is saved with twice the rank, and 2 * {} exceeds min(in "
            "{}, out {}) of {}; use r <= {}",
            init_, rank, site.in, site.out, site.name, limit / 2);
    require(init_ != "orthogonal" || rank % 2 == 0, ErrorKind::kUsage,
            "lora: rank {} at {}; init_lora_weights=orthogonal needs an even one", rank, site.name);
    return rank;
  }

 private:
  std::vector<SiteKind> kinds() const override { return {SiteKind::kLinear, SiteKind::kConv}; }

  void check_site(const Site& site) const override {
    if (site.kind != SiteKind::kConv) return;
    bool plain = !use_dora_ && !lora_bias_ && !lora_fa_ && !use_gating_ &&
                 (init_ == "kaiming" || init_ == "gaussian");
    require(plain, ErrorKind::kUsage,
            "lora: {} is a convolution, for which there are r, alpha, dropout, use_rslora and "
            "init_lora_weights=kaiming or gaussian; leave the other settings out",
            site.name);
    require(rank_at(site) % site.conv.groups == 0, ErrorKind::kUsage,
            "lora: {} has {} groups, which do not divide the rank {}; leave it out with "
            "exclude_modules, or give it such a rank with rank_pattern",
            site.name, site.conv.groups, rank_at(site));
  }

  std::unique_ptr<SiteHook> attach_to_convolution(const Site& site, ParameterMaker& make) const {
    int64_t rank = rank_at(site), groups = site.conv.groups;
    int64_t height = site.conv.kernel_height, width = site.conv.kernel_width;
    Shape matrix{rank, site.in / groups * height * width};
    Stream stream = make.stream(site, "lora_A.weight");
    Tensor start = init_ == "gaussian"
                       ? normal_init(matrix, 1.0f / static_cast<float>(rank), stream)
                       : kaiming_uniform_init(matrix, stream);
    Tensor a = start.reshaped({rank, site.in / groups, height, width});
    Tensor b = Tensor::zeros({site.out, rank / groups, 1, 1}, DType::kF32);
    return make_conv_low_rank_hook(site, {.a = &make.make(site, "lora_A.weight", std::move(a)),
                                          .b = &make.make(site, "lora_B.weight", std::move(b)),
                                          .scale = static_cast<float>(scale_at(site)),
                                          .dropout = dropout_,
                                          .stream = "dropout/lora/" + site.name});
  }

  void check_gating() const {
    require(
        !use_dora_, ErrorKind::kUsage,
        "lora: use_gating and use_dora exclude each other: DoRA takes the lengths of one update "
        "for all texts, and a gate gives each text its own; leave one out");
    require(!use_rslora_ && alpha_pattern_.empty(), ErrorKind::kUsage,
            "lora: use_rslora and alpha_pattern change a scale that use_gating puts a factor of "
            "each text in place of; leave them, or use_gating, out");
    require(!lora_fa_, ErrorKind::kUsage,
            "lora: lora_fa corrects gradients for one scale of all texts, and with use_gating each "
            "has its own; leave one out");
    bool plain = init_ == "kaiming" || init_ == "gaussian";
    require(plain, ErrorKind::kUsage,
            "lora: init_lora_weights={} starts from alpha / r, which use_gating has a factor of "
            "each text in place of; use kaiming or gaussian",
            init_);
  }

  bool keeps_start() const { return init_ == "pissa" || init_ == "olora" || init_ == "lora_ga"; }

  // Ranks go where inputs need them; s stays what it was, so alphas follow.
  AdapterForm eva(const Adapter& adapter, Calibration& batches) const {
    auto plain = std::make_unique<Lora>(*this);
    plain->init_ = "kaiming";
    plain->rank_pattern_.clear();
    plain->alpha_pattern_.clear();
    AdapterForm form;
    std::map<const Site*, Tensor> starts = eva_start(ranks_of(adapter), eva_rho_, batches);
    for (const Site* site : adapter.sites()) {
      auto found = starts.find(site);
      if (found == starts.end()) {
        plain->rules_.exclude_modules.push_back(site->name);
        continue;
      }
      auto rank = static_cast<double>(found->second.dim(0));
      plain->rank_pattern_[site->name] = rank;
      plain->alpha_pattern_[site->name] = scale_at(*site) * (use_rslora_ ? std::sqrt(rank) : rank);
      form.values[site->name + ".lora_A.weight"] = found->second;
    }
    form.method = std::move(plain);
    return form;
  }

  AdapterForm lora_ga(const Adapter& adapter, Calibration& batches) const {
    AdapterForm form{std::make_unique<Lora>(*this), {}};
    for (auto& [site, start] : lora_ga_start(ranks_of(adapter), lora_ga_gamma_, batches)) {
      form.values[site->name + "." + kFirstA] = start.a.clone();
      form.values[site->name + "." + kFirstB] = start.b.clone();
      form.values[site->name + ".lora_A.weight"] = start.a;
      form.values[site->name + ".lora_B.weight"] = start.b;
    }
    return form;
  }

  std::map<const Site*, int64_t> ranks_of(const Adapter& adapter) const {
    std::map<const Site*, int64_t> ranks;
    for (const Site* site : adapter.sites()) ranks[site] = rank_at(*site);
    return ranks;
  }

  LowRankFactors start_at(const Site& site, const ParameterMaker& make) const {
    int64_t rank = rank_at(site);
    Stream stream = make.stream(site, "lora_A.weight");
    if (init_ == "pissa")
      return pissa_start(out_by_in(site), rank, scale_at(site), pissa_niter_, stream);
    if (init_ == "olora") return olora_start(out_by_in(site), rank);
    if (init_ == "orthogonal") return orthogonal_start(site, rank, make);
    Tensor a = init_ == "gaussian"
                   ? normal_init({rank, site.in}, 1.0f / static_cast<float>(rank), stream)
                   : kaiming_uniform_init({rank, site.in}, stream);
    return {std::move(a), Tensor::zeros({site.out, rank}, DType::kF32)};
  }

  static std::map<std::string, Tensor> values_of(const Adapter& adapter) {
    std::map<std::string, Tensor> values;
    for (const Adapter::Entry& entry : adapter.entries())
      values[entry.parameter.name()] = entry.parameter.value();
    return values;
  }

  double dropout_ = 0;
  bool use_rslora_ = false, use_dora_ = false, lora_bias_ = false, lora_fa_ = false,
       use_gating_ = false;
  std::string init_ = "kaiming";
  int64_t pissa_niter_ = 0;
  double lora_plus_ = 1, eva_rho_ = 2, lora_ga_gamma_ = 16;
};

}  // namespace

const MethodInfo& method_lora() {
  static const MethodInfo info{
      .name = "lora",
      .summary = "Adds a trained low-rank update to linear layers and convolutions.",
      .citation = "arXiv:2106.09685",
      .example = "lora[r=8,alpha=16,target_modules=all-linear]",
      .format = AdapterFormat::kPeft,
      .peft = &lora_peft_form(),
      .adapterhub = &lora_adapterhub_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Lora>(); }};
  return info;
}

}  // namespace inlay
