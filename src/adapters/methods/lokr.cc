// LoKr: Yeh et al. 2023, "Navigating text-to-image customization: from LyCORIS fine-tuning to model
// evaluation", arXiv:2309.14859, eq. (4): dW = (alpha / r) W1 (x) W2, a Kronecker product; each
// factor may itself be a product of rank r.
#include <algorithm>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
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
struct Factor {
  int64_t rows, columns;
  bool split;
};
struct Plan {
  Factor first, second;
  double scale;
};

template <class T>
RowMajor<T> whole(DerivedParameter::Values values, std::size_t at, const Factor& factor) {
  if (!factor.split) return const_matrix<T>(values[at]);
  return const_matrix<T>(values[at]) * const_matrix<T>(values[at + 1]);
}

void push_back_gradients(DerivedParameter::Values values, std::size_t at, const Factor& factor,
                         const auto& grad, std::vector<Tensor>& grads) {
  using T = typename std::decay_t<decltype(grad)>::Scalar;
  for (std::size_t i = at; i <= at + (factor.split ? 1 : 0); ++i)
    grads.push_back(Tensor::empty(values[i].shape(), values[i].dtype()));
  if (!factor.split) {
    matrix<T>(grads[at]) = grad;
    return;
  }
  matrix<T>(grads[at]).noalias() = grad * const_matrix<T>(values[at + 1]).transpose();
  matrix<T>(grads[at + 1]).noalias() = const_matrix<T>(values[at]).transpose() * grad;
}

std::size_t place_of_second(const Plan& plan) { return plan.first.split ? 2 : 1; }

Tensor update(DerivedParameter::Values values, const Plan& plan) {
  const auto& [first, second, scale] = plan;
  Tensor delta =
      Tensor::empty({first.rows * second.rows, first.columns * second.columns}, values[0].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> w1 = static_cast<T>(plan.scale) * whole<T>(values, 0, plan.first);
    RowMajor<T> w2 = whole<T>(values, place_of_second(plan), plan.second);
    auto out = matrix<T>(delta);
    for (int64_t i = 0; i < w1.rows(); ++i) {
      for (int64_t j = 0; j < w1.cols(); ++j)
        out.block(i * w2.rows(), j * w2.cols(), w2.rows(), w2.cols()) = w1(i, j) * w2;
    }
  });
  return delta;
}

std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad,
                                    const Plan& plan) {
  std::vector<Tensor> grads;
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> w1 = whole<T>(values, 0, plan.first);
    RowMajor<T> w2 = whole<T>(values, place_of_second(plan), plan.second);
    RowMajor<T> dw1(w1.rows(), w1.cols()), dw2 = RowMajor<T>::Zero(w2.rows(), w2.cols());
    auto seed = const_matrix<T>(grad);
    auto scale = static_cast<T>(plan.scale);
    for (int64_t i = 0; i < w1.rows(); ++i) {
      for (int64_t j = 0; j < w1.cols(); ++j) {
        auto block = seed.block(i * w2.rows(), j * w2.cols(), w2.rows(), w2.cols());
        dw1(i, j) = scale * block.cwiseProduct(w2).sum();
        dw2 += (scale * w1(i, j)) * block;
      }
    }
    push_back_gradients(values, 0, plan.first, dw1, grads);
    push_back_gradients(values, place_of_second(plan), plan.second, dw2, grads);
  });
  return grads;
}

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
    std::vector<Parameter*> sources;
    add_factor(site, make, "lokr_w1", plan.first, true, sources);
    add_factor(site, make, "lokr_w2", plan.second, false, sources);
    DerivedParameter& delta = make.derive(
        site.name + ".lokr", std::move(sources),
        [plan](auto values) { return update(values, plan); },
        [plan](auto values, const Tensor& grad) { return update_backward(values, grad, plan); });
    return make_delta_hook(delta, 0, "");
  }

  int64_t gradient_chunk() const override { return 4; }

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
  void add_factor(const Site& site, ParameterMaker& make, const std::string& name,
                  const Factor& factor, bool first, std::vector<Parameter*>& sources) const {
    auto add = [&](const std::string& part, const Shape& shape, bool zero) {
      sources.push_back(&make.make(site, part,
                                   zero ? Tensor::zeros(shape, DType::kF32)
                                        : kaiming_uniform_init(shape, make.stream(site, part))));
    };
    if (!factor.split) return add(name, {factor.rows, factor.columns}, first);
    add(name + "_a", {factor.rows, rank_at(site)}, first);
    add(name + "_b", {rank_at(site), factor.columns}, false);
  }

  bool decompose_both_ = false;
  int64_t decompose_factor_ = -1;
};

const PeftForm& form() {
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
      .peft = &form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LoKr>(); }};
  return info;
}

}  // namespace inlay
