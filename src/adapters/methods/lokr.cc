// LoKr: Yeh et al. 2023, "Navigating text-to-image customization: from LyCORIS fine-tuning to model
// evaluation", arXiv:2309.14859, eq. (4): dW = (alpha / r) W1 (x) W2, a Kronecker product; each
// factor may itself be a product of rank r.
#include <algorithm>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/add.h"
#include "autograd/ops/kronecker.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// A size as a product of two, the first the smaller: as near to each other as divisors allow, or
// with the first at most `factor`; factor itself where it divides.
std::pair<int64_t, int64_t> two_factors(int64_t size, int64_t factor) {
  if (factor > 0 && size % factor == 0) return {factor, size / factor};
  int64_t limit = factor == -1 ? size : factor;
  int64_t small = 1, large = size;
  while (small < large) {
    int64_t next = small + 1;
    while (size % next != 0) ++next;
    if (next + size / next > small + large || next > limit) break;
    small = next;
    large = size / next;
  }
  return {std::min(small, large), std::max(small, large)};
}

// One of the two factors: whole, or the product of two thin matrices.
struct LoKrFactor {
  int64_t rows, columns;
  bool split;
};
struct Plan {
  LoKrFactor first, second;
  double scale;
};

Tensor lokr_product(DerivedParameter::Values values) {
  Tensor whole = Tensor::empty({values[0].dim(0), values[1].dim(1)}, values[0].dtype());
  with_real(whole.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(whole).noalias() = const_matrix<T>(values[0]) * const_matrix<T>(values[1]);
  });
  return whole;
}

std::vector<Tensor> lokr_product_backward(DerivedParameter::Values values, const Tensor& grad) {
  std::vector<Tensor> grads{Tensor::empty(values[0].shape(), grad.dtype()),
                            Tensor::empty(values[1].shape(), grad.dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto seed = const_matrix<T>(grad);
    matrix<T>(grads[0]).noalias() = seed * const_matrix<T>(values[1]).transpose();
    matrix<T>(grads[1]).noalias() = const_matrix<T>(values[0]).transpose() * seed;
  });
  return grads;
}

// A factor as it is now: a parameter, or what is made from two.
struct Now {
  Parameter* whole = nullptr;
  DerivedParameter* split = nullptr;
  Parameter& operator()() const { return split != nullptr ? split->current() : *whole; }
};

class LoKrHook : public SiteHook {
 public:
  LoKrHook(Now first, Now second, double scale) : first_(first), second_(second), scale_(scale) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    Variable update = kronecker(context, x, first_(), second_());
    return add_scaled(context, y, update, static_cast<float>(scale_));
  }

  bool merge(MergedTensors& merged) override {
    const Tensor &first = first_().value(), &second = second_().value();
    Tensor delta = Tensor::empty(merged.weight.shape(), first.dtype());
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      auto w1 = const_matrix<T>(first), w2 = const_matrix<T>(second);
      for (int64_t i = 0; i < w1.rows(); ++i) {
        for (int64_t j = 0; j < w1.cols(); ++j) {
          matrix<T>(delta).block(i * w2.rows(), j * w2.cols(), w2.rows(), w2.cols()) =
              static_cast<T>(scale_) * w1(i, j) * w2;
        }
      }
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  Now first_, second_;
  double scale_;
};

class LoKr : public RankedMethod {
 public:
  LoKr() : RankedMethod(8, 16) {}

  void fields(FieldVisitor& visit) override {
    rank_fields(visit);
    visit("decompose_both", decompose_both_, "the first factor, too, is a product of rank r");
    visit("decompose_factor", decompose_factor_,
          "size of the first factor where it divides the layer's; -1: as near to the second's as "
          "possible");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Plan plan = plan_at(site);
    Now first = add_factor(site, make, "lokr_w1", plan.first, true);
    Now second = add_factor(site, make, "lokr_w2", plan.second, false);
    return std::make_unique<LoKrHook>(first, second, plan.scale);
  }

 protected:
  void check() const override {
    require(decompose_factor_ == -1 || decompose_factor_ >= 1, ErrorKind::kUsage,
            "lokr: decompose_factor is {}; expected -1, or 1 or more", decompose_factor_);
  }

 private:
  Plan plan_at(const Site& site) const {
    auto [out_l, out_k] = two_factors(site.out, decompose_factor_);
    auto [in_m, in_n] = two_factors(site.in, decompose_factor_);
    int64_t rank = rank_at(site);
    bool split_first = decompose_both_ && 2 * rank < std::max(out_l, in_m);
    bool split_second = 2 * rank < std::max(out_k, in_n);
    return {{out_l, in_m, split_first}, {out_k, in_n, split_second}, scale_at(site)};
  }

  // The first factor starts at zero, so that the update does.
  Now add_factor(const Site& site, ParameterMaker& make, const std::string& name,
                 const LoKrFactor& factor, bool first) const {
    auto add = [&](const std::string& part, const Shape& shape, bool zero) {
      return &make.make(site, part,
                        zero ? Tensor::zeros(shape, DType::kF32)
                             : kaiming_uniform_init(shape, make.stream(site, part)));
    };
    if (!factor.split) return {.whole = add(name, {factor.rows, factor.columns}, first)};
    Parameter* a = add(name + "_a", {factor.rows, rank_at(site)}, first);
    Parameter* b = add(name + "_b", {rank_at(site), factor.columns}, false);
    return {.split =
                &make.derive(site.name + "." + name, {a, b}, lokr_product, lokr_product_backward)};
  }

  bool decompose_both_ = false;
  int64_t decompose_factor_ = -1;
};

const PeftForm& lokr_form() {
  static const PeftForm form{.type = "LOKR",
                             .keys = {{"r", 8, "r"},
                                      {"alpha", 8, "alpha"},
                                      {"rank_dropout", 0.0, PeftKey::kNoMatter},
                                      {"module_dropout", 0.0, PeftKey::kNoMatter},
                                      {"rank_dropout_scale", false, PeftKey::kNoMatter},
                                      {"use_effective_conv2d", false, PeftKey::kNoMatter},
                                      {"decompose_both", false, "decompose_both"},
                                      {"decompose_factor", -1, "decompose_factor"},
                                      {"init_weights", true, PeftKey::kNoMatter},
                                      {"rank_pattern", Json::object(), "rank_pattern"},
                                      {"alpha_pattern", Json::object(), "alpha_pattern"}}};
  return form;
}

}  // namespace

const MethodInfo& method_lokr() {
  static const MethodInfo info{
      .name = "lokr",
      .summary = "Adds a Kronecker product of two small matrices to linear layers.",
      .citation = "arXiv:2309.14859",
      .example = "lokr[r=2,alpha=4]",
      .format = AdapterFormat::kPeft,
      .peft = &lokr_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LoKr>(); }};
  return info;
}

}  // namespace inlay
