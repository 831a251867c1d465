// MiSS: Kang & Yin 2024, arXiv:2409.15371: one matrix D (r, out) is shared by all groups of r
// inputs, y += D^T sum_g x[g r .. g r + r), that is dW[o, i] = D[i mod r, o].
#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/lora.h"
#include "tensor/matrix_view.h"
#include "tensor/transposed.h"

namespace inlay {
namespace {

// Sums the inputs whose number has the same rest: (r, in) of zeros and ones.
Tensor group_sums(int64_t rank, int64_t in, DType dtype) {
  Tensor sums = Tensor::zeros({rank, in}, dtype);
  with_real(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < in; ++i) matrix<T>(sums)(i % rank, i) = T(1);
  });
  return sums;
}

class MissHook : public SiteHook {
 public:
  MissHook(DerivedParameter& sums, DerivedParameter& block, double dropout, std::string stream)
      : sums_(sums), block_(block), dropout_(dropout), stream_(std::move(stream)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    return lora(context, std::move(y), inlay::dropout(context, x, dropout_, stream_),
                sums_.current(), block_.current(), 1.0f);
  }

  bool merge(MergedTensors& merged) override {
    const Tensor& block = block_.current().value();
    Tensor delta = Tensor::empty(merged.weight.shape(), block.dtype());
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < delta.dim(1); ++i)
        matrix<T>(delta).col(i) = const_matrix<T>(block).col(i % block.dim(1));
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  DerivedParameter& sums_;
  DerivedParameter& block_;
  double dropout_;
  std::string stream_;
};

class Miss : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank: how many inputs are told apart");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& block = make.make(site, "miss_block", Tensor::zeros({r_, site.out}, DType::kF32));
    DerivedParameter& turned = make.derive(
        site.name + ".miss_block.transposed", {&block},
        [](auto values) { return transposed(values[0]); },
        [](auto, const Tensor& grad) { return std::vector<Tensor>{transposed(grad)}; });
    int64_t rank = r_, in = site.in;
    DerivedParameter& sums = make.derive(
        site.name + ".miss_sums", {&block},
        [rank, in](auto values) { return group_sums(rank, in, values[0].dtype()); },
        [](auto, const Tensor&) { return std::vector<Tensor>(1); });
    sums.parameter().freeze();
    return std::make_unique<MissHook>(sums, turned, dropout_, "dropout/miss/" + site.name);
  }

 protected:
  void check() const override { check_probability("miss: dropout", dropout_); }
  void check_site(const Site& site) const override {
    require(r_ >= 1 && r_ <= site.in, ErrorKind::kUsage,
            "miss: r is {} at {} with {} inputs; expected 1 to {}", r_, site.name, site.in,
            site.in);
  }

 private:
  int64_t r_ = 16;
  double dropout_ = 0;
};

const PeftForm& miss_form() {
  static const PeftForm form{.type = "MISS",
                             .keys = {{"r", 64, "r"},
                                      {"miss_dropout", 0.0, "dropout"},
                                      {"mini_r", 1, PeftKey::kNoMatter},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kFixed}}};
  return form;
}

}  // namespace

const MethodInfo& method_miss() {
  static const MethodInfo info{
      .name = "miss",
      .summary = "Adds one small matrix, shared by all groups of a layer's inputs.",
      .citation = "arXiv:2409.15371",
      .example = "miss[r=4]",
      .format = AdapterFormat::kPeft,
      .peft = &miss_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Miss>(); }};
  return info;
}

}  // namespace inlay
