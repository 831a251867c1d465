// VeRA: Kopiczko et al. 2023, arXiv:2310.11454, eq. (2): h = W0 x + l_b * (B (l_d * (A x))), with A
// and B random, frozen and shared by all layers, and one trained vector on either side of B. As in
// PEFT, A is (r, widest in) and B (widest out, r), and a layer reads the part of its own size.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>

#include "adapters/delta_hook.h"
#include "adapters/method.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "adapters/torch_uniform.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/rescale.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// The shared matrices, and the parts of them that layers read, packed once per size.
class Projections {
 public:
  Projections(Parameter& a, Parameter& b) : a_(&a), b_(&b) {}
  // Of matrices that no file holds.
  Projections(Tensor a, Tensor b)
      : own_a_("vera_A", std::move(a)), own_b_("vera_B", std::move(b)), a_(&own_a_), b_(&own_b_) {}
  Projections(const Projections&) = delete;
  Projections& operator=(const Projections&) = delete;

  const FrozenWeight& a(int64_t in) { return part(parts_of_a_, *a_, a_->shape()[0], in); }
  const FrozenWeight& b(int64_t out) { return part(parts_of_b_, *b_, out, b_->shape()[1]); }
  // As numbers.
  Tensor a_values(int64_t in) const { return corner(*a_, a_->shape()[0], in); }
  Tensor b_values(int64_t out) const { return corner(*b_, out, b_->shape()[1]); }

 private:
  struct Part {
    uint64_t version = 0;
    std::unique_ptr<FrozenWeight> weight;
  };

  static Tensor corner(const Parameter& whole, int64_t rows, int64_t columns) {
    Tensor values = Tensor::empty({rows, columns}, whole.value().dtype());
    with_real(values.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(values) = const_matrix<T>(whole.value()).topLeftCorner(rows, columns);
    });
    return values;
  }

  const FrozenWeight& part(std::map<int64_t, Part>& parts, const Parameter& whole, int64_t rows,
                           int64_t columns) {
    std::lock_guard<std::mutex> guard(lock_);
    Part& entry = parts[rows + columns];
    if (entry.version != whole.version()) {
      entry.weight = std::make_unique<FrozenWeight>(corner(whole, rows, columns), Tensor(),
                                                    onednn::Layout::kOutIn, nullptr);
      entry.version = whole.version();
    }
    return *entry.weight;
  }

  Parameter own_a_, own_b_;
  Parameter* a_;
  Parameter* b_;
  std::mutex lock_;
  std::map<int64_t, Part> parts_of_a_, parts_of_b_;
};

class VeraHook : public SiteHook {
 public:
  VeraHook(const Site& site, std::shared_ptr<Projections> shared, Parameter& d, Parameter& b,
           double dropout)
      : site_(site), shared_(std::move(shared)), d_(d), b_(b), dropout_(dropout) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    Variable read = dropout(context, x, dropout_, "dropout/vera/" + site_.name);
    Variable inner =
        inlay::linear(context, read, {.frozen = &shared_->a(site_.in)}, Precision::kCompute);
    inner = rescale(context, inner, d_, Tensor(), Tensor());
    Variable update =
        inlay::linear(context, inner, {.frozen = &shared_->b(site_.out)}, Precision::kFull);
    return add(context, y, rescale(context, update, b_, Tensor(), Tensor()));
  }

  bool merge(MergedTensors& merged) override {
    DType dtype = d_.value().dtype();
    Tensor a = shared_->a_values(site_.in).to(dtype), b = shared_->b_values(site_.out).to(dtype);
    Tensor delta = Tensor::empty({site_.out, site_.in}, dtype);
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      auto inner = const_matrix<T>(d_.value()).row(0).asDiagonal();
      auto outer = const_matrix<T>(b_.value()).row(0).asDiagonal();
      matrix<T>(delta) = outer * (const_matrix<T>(b) * inner * const_matrix<T>(a));
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  const Site& site_;
  std::shared_ptr<Projections> shared_;
  Parameter& d_;
  Parameter& b_;
  double dropout_;
};

class Vera : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank of the shared matrices");
    visit("d_initial", d_initial_, "where lambda_d starts; lambda_b starts at zero");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    visit("projection_prng_key", key_, "seed of the shared matrices, drawn as PyTorch draws them");
    visit("save_projection", save_projection_,
          "keep the shared matrices in the file; they can be drawn again from their seed");
    visit("target_modules", targets_.target_modules,
          "module names (suffixes), a pattern, or all-linear");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(r_ >= 1, ErrorKind::kUsage, "vera: r is {}; expected 1 or more", r_);
    check_probability("vera: dropout", dropout_);
    require(
        d_initial_ != 0, ErrorKind::kUsage,
        "vera: d_initial is 0, from where nothing learns; expected another number, such as 0.1");
    require(key_ >= 0 && key_ <= UINT32_MAX, ErrorKind::kUsage,
            "vera: projection_prng_key is {}; expected 0 to {}", key_, UINT32_MAX);
    return select_targets(base, {SiteKind::kLinear}, targets_);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    if (&site == make.sites().front()) shared_ = projections(make);
    Tensor d = Tensor::empty({r_}, DType::kF32);
    std::fill_n(d.mutable_data<float>(), r_, static_cast<float>(d_initial_));
    Parameter& lambda_b = make.make(site, "vera_lambda_b", Tensor::zeros({site.out}, DType::kF32));
    Parameter& lambda_d = make.make(site, "vera_lambda_d", std::move(d));
    return std::make_unique<VeraHook>(site, shared_, lambda_d, lambda_b, dropout_);
  }

 private:
  std::shared_ptr<Projections> projections(ParameterMaker& make) const {
    int64_t in = 0, out = 0;
    for (const Site* site : make.sites()) {
      in = std::max(in, site->in);
      out = std::max(out, site->out);
    }
    // Both from one generator, A first.
    std::mt19937 generator(static_cast<uint32_t>(key_));
    Tensor a = torch_kaiming_uniform({r_, in}, generator);
    Tensor b = torch_kaiming_uniform({out, r_}, generator);
    if (!save_projection_) return std::make_shared<Projections>(std::move(a), std::move(b));
    Parameter& shared_a = make.shared_fixed("vera_A", [&](const Stream&) { return a; });
    Parameter& shared_b = make.shared_fixed("vera_B", [&](const Stream&) { return b; });
    return std::make_shared<Projections>(shared_a, shared_b);
  }

  int64_t r_ = 256;
  double d_initial_ = 0.1;
  double dropout_ = 0;
  int64_t key_ = 0;
  bool save_projection_ = true;
  TargetRules targets_{.target_modules = {"all-linear"}};
  mutable std::shared_ptr<Projections> shared_;  // of the adapter that is being made
};

const PeftForm& vera_peft_form() {
  static const PeftForm form{.type = "VERA",
                             .keys = {{"bias", "none", PeftKey::kFixed},
                                      {"d_initial", 0.1, "d_initial"},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter},
                                      {"projection_prng_key", 0, "projection_prng_key"},
                                      {"r", 256, "r"},
                                      {"save_projection", true, "save_projection"},
                                      {"vera_dropout", 0.0, "dropout"}}};
  return form;
}

}  // namespace

const MethodInfo& method_vera() {
  static const MethodInfo info{
      .name = "vera",
      .summary = "Trains two vectors per linear layer around shared random matrices.",
      .citation = "arXiv:2310.11454",
      .example = "vera[r=256,target_modules=all-linear]",
      .format = AdapterFormat::kPeft,
      .peft = &vera_peft_form(),
      .learning_rate = 1e-2,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Vera>(); }};
  return info;
}

}  // namespace inlay
