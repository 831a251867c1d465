// AdaLoRA: Zhang et al. 2023, arXiv:2303.10512: an update in the form of a singular value
// decomposition, dW = alpha / (init_r + 1e-5) B (A * E) with the values E on the rows of A; those
// that matter least over the whole model are set to zero until target_r per layer are left. A, B ~
// N(0, 0.02^2), E = 0, as in PEFT. What happens during training: adalora_training.h.
#include <algorithm>
#include <cmath>

#include "adapters/adalora_peft.h"
#include "adapters/adalora_training.h"
#include "adapters/adapter.h"
#include "adapters/low_rank_hook.h"
#include "adapters/method.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Values = DerivedParameter::Values;

// A with row i times E_i.
Tensor weighted_rows(Values values) {
  Tensor weighted = Tensor::empty(values[0].shape(), values[0].dtype());
  with_real(weighted.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(weighted) =
        const_matrix<T>(values[1]).col(0).asDiagonal() * const_matrix<T>(values[0]);
  });
  return weighted;
}

std::vector<Tensor> pull_weighted_rows(Values values, const Tensor& grad) {
  std::vector<Tensor> grads{Tensor::empty(values[0].shape(), grad.dtype()),
                            Tensor::empty(values[1].shape(), grad.dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(grads[0]) = const_matrix<T>(values[1]).col(0).asDiagonal() * const_matrix<T>(grad);
    matrix<T>(grads[1]).col(0) =
        const_matrix<T>(grad).cwiseProduct(const_matrix<T>(values[0])).rowwise().sum();
  });
  return grads;
}

// s B (A * E) x: LoRA with the weighted rows in place of A.
class AdaLoraHook : public SiteHook {
 public:
  AdaLoraHook(const Site& site, DerivedParameter& weighted, LowRankParts parts)
      : weighted_(weighted) {
    parts.a = &weighted.parameter();
    weighted.current();
    hook_ = make_low_rank_hook(site, parts);
  }

  Variable linear(Context& context, const LinearSite& module, const Variable& x,
                  Variable y) override {
    weighted_.current();
    return hook_->linear(context, module, x, std::move(y));
  }
  bool merge(MergedTensors& merged) override {
    weighted_.current();
    return hook_->merge(merged);
  }

 private:
  DerivedParameter& weighted_;
  std::unique_ptr<SiteHook> hook_;
};

Tensor kept_rows(const Tensor& tensor, const std::vector<int64_t>& rows) {
  auto count = static_cast<int64_t>(rows.size());
  Tensor kept = Tensor::empty({count, tensor.dim(1)}, tensor.dtype());
  for (int64_t i = 0; i < count; ++i)
    std::copy_n(tensor.data<float>() + rows[static_cast<std::size_t>(i)] * tensor.dim(1),
                tensor.dim(1), kept.mutable_data<float>() + i * tensor.dim(1));
  return kept;
}

Tensor kept_columns(const Tensor& tensor, const std::vector<int64_t>& columns) {
  auto count = static_cast<int64_t>(columns.size());
  Tensor kept = Tensor::empty({tensor.dim(0), count}, tensor.dtype());
  for (int64_t i = 0; i < tensor.dim(0); ++i) {
    for (int64_t k = 0; k < count; ++k)
      kept.mutable_data<float>()[i * count + k] =
          tensor.data<float>()[i * tensor.dim(1) + columns[static_cast<std::size_t>(k)]];
  }
  return kept;
}

class AdaLora : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("init_r", init_r_, "rank of every update at the start");
    visit("target_r", target_r_, "average rank that is left at the end");
    visit("alpha", alpha_, "the update is scaled by alpha / init_r");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    visit("tinit", options_.tinit, "steps before ranks begin to fall");
    visit("tfinal", options_.tfinal, "steps at the end during which ranks stay");
    visit("deltaT", options_.delta, "steps between two choices of what is set to zero");
    visit("beta1", options_.beta1, "decay of the average importance");
    visit("beta2", options_.beta2, "decay of the average uncertainty of importance");
    visit("orth_reg_weight", options_.orthogonality,
          "weight of the penalty that keeps A's rows and B's columns orthonormal");
    target_fields(visit);
    visit("ranks", ranks_, "ranks that are left, by module; of a trained adapter");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    std::vector<const Site*> sites = TargetedMethod::select(base);
    check_patterns(ranks_, sites, "ranks");
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    auto rank =
        static_cast<int64_t>(pattern_value(ranks_, site.name, static_cast<double>(init_r_)));
    constexpr float kDeviation = 0.02f;
    Parameter& a = make.make(site, "lora_A",
                             normal_init({rank, site.in}, kDeviation, make.stream(site, "lora_A")));
    Parameter& b = make.make(
        site, "lora_B", normal_init({site.out, rank}, kDeviation, make.stream(site, "lora_B")));
    Parameter& e = make.make(site, "lora_E", Tensor::zeros({rank, 1}, DType::kF32));
    if (rank == 0) return nullptr;
    DerivedParameter& weighted =
        make.derive(site.name + ".A*E", {&a, &e}, weighted_rows, pull_weighted_rows);
    LowRankParts parts;
    parts.b = &b;
    // PEFT's own divisor, which stays that of the start.
    parts.scale = static_cast<float>(alpha_ / (static_cast<double>(init_r_) + 1e-5));
    parts.dropout = dropout_;
    parts.stream = "dropout/adalora/" + site.name;
    return std::make_unique<AdaLoraHook>(site, weighted, parts);
  }

  bool trains_together() const override { return false; }
  std::unique_ptr<MethodTraining> training(Adapter& adapter) const override {
    return make_adalora_training(adapter, init_r_, target_r_, options_);
  }

  // Without the triplets whose value is zero.
  AdapterForm finished(const Adapter& adapter) const override {
    if (!ranks_.empty()) return {};
    auto kept = std::make_unique<AdaLora>(*this);
    AdapterForm form;
    std::map<std::string, const Tensor*> values;
    for (const Adapter::Entry& entry : adapter.entries())
      values[entry.parameter.name()] = &entry.parameter.value();
    for (const Site* site : adapter.sites()) {
      const Tensor& e = *values.at(site->name + ".lora_E");
      std::vector<int64_t> rows;
      for (int64_t i = 0; i < e.count(); ++i) {
        if (e.data<float>()[i] != 0) rows.push_back(i);
      }
      kept->ranks_[site->name] = static_cast<double>(rows.size());
      form.values[site->name + ".lora_E"] = kept_rows(e, rows);
      form.values[site->name + ".lora_A"] = kept_rows(*values.at(site->name + ".lora_A"), rows);
      form.values[site->name + ".lora_B"] = kept_columns(*values.at(site->name + ".lora_B"), rows);
    }
    form.method = std::move(kept);
    return form;
  }

 protected:
  void check() const override {
    check_probability("adalora: dropout", dropout_);
    require(target_r_ >= 1 && target_r_ <= init_r_, ErrorKind::kUsage,
            "adalora: target_r is {} and init_r {}; expected 1 <= target_r <= init_r", target_r_,
            init_r_);
    require(
        alpha_ != 0, ErrorKind::kUsage,
        "adalora: alpha is 0, so that the update would have no effect; expected another number");
    options_.check();
  }
  void check_site(const Site& site) const override {
    int64_t limit = std::min(site.in, site.out);
    require(init_r_ <= limit, ErrorKind::kUsage,
            "adalora: init_r {} exceeds min(in {}, out {}) of {}; use init_r <= {}", init_r_,
            site.in, site.out, site.name, limit);
  }

 private:
  int64_t init_r_ = 12, target_r_ = 8;
  double alpha_ = 16;
  double dropout_ = 0;
  AdaLoraOptions options_;
  std::map<std::string, double> ranks_;
};

}  // namespace

const MethodInfo& method_adalora() {
  static const MethodInfo info{
      .name = "adalora",
      .summary = "Low-rank updates whose ranks are shared out over the layers while training.",
      .citation = "arXiv:2303.10512",
      .example = "adalora[init_r=12,target_r=8,target_modules=all-linear]",
      .format = AdapterFormat::kPeft,
      .peft = &adalora_peft_form(),
      .learning_rate = 2e-3,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<AdaLora>(); }};
  return info;
}

}  // namespace inlay
