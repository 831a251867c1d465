// LoHa: Hyeon-Woo et al. 2022, "FedPara", arXiv:2108.06098, proposition 2: two low-rank matrices
// multiplied element by element, dW = (alpha / r) (W1a W1b) * (W2a W2b), of rank up to r^2.
#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

enum Factor { kW1a, kW1b, kW2a, kW2b };

template <class T>
RowMajor<T> product(DerivedParameter::Values values, Factor left, Factor right) {
  return const_matrix<T>(values[left]) * const_matrix<T>(values[right]);
}

Tensor update(DerivedParameter::Values values, double scale) {
  Tensor delta = Tensor::empty({values[kW1a].dim(0), values[kW1b].dim(1)}, values[kW1a].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(delta) = static_cast<T>(scale) *
                       product<T>(values, kW1a, kW1b).cwiseProduct(product<T>(values, kW2a, kW2b));
  });
  return delta;
}

std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad,
                                    double scale) {
  std::vector<Tensor> grads;
  grads.reserve(values.size());
  for (const Tensor& value : values) grads.push_back(Tensor::empty(value.shape(), value.dtype()));
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> seed = static_cast<T>(scale) * const_matrix<T>(grad);
    RowMajor<T> first = seed.cwiseProduct(product<T>(values, kW2a, kW2b));
    RowMajor<T> second = seed.cwiseProduct(product<T>(values, kW1a, kW1b));
    matrix<T>(grads[kW1a]).noalias() = first * const_matrix<T>(values[kW1b]).transpose();
    matrix<T>(grads[kW1b]).noalias() = const_matrix<T>(values[kW1a]).transpose() * first;
    matrix<T>(grads[kW2a]).noalias() = second * const_matrix<T>(values[kW2b]).transpose();
    matrix<T>(grads[kW2b]).noalias() = const_matrix<T>(values[kW2a]).transpose() * second;
  });
  return grads;
}

class LoHa : public RankedMethod {
 public:
  LoHa() : RankedMethod(8, 16) {}

  void fields(FieldVisitor& visit) override {
    rank_fields(visit);
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t rank = rank_at(site);
    auto drawn = [&](const char* part, const Shape& shape) {
      return &make.make(site, part, kaiming_uniform_init(shape, make.stream(site, part)));
    };
    Parameter* w1a = drawn("hada_w1_a", {site.out, rank});
    Parameter* w1b = drawn("hada_w1_b", {rank, site.in});
    Parameter* w2a = drawn("hada_w2_a", {site.out, rank});
    Parameter& w2b = make.make(site, "hada_w2_b", Tensor::zeros({rank, site.in}, DType::kF32));
    double scale = scale_at(site);
    DerivedParameter& delta = make.derive(
        site.name + ".loha", {w1a, w1b, w2a, &w2b},
        [scale](auto values) { return update(values, scale); },
        [scale](auto values, const Tensor& grad) { return update_backward(values, grad, scale); });
    return make_delta_hook(delta, 0, "");
  }

  int64_t gradient_chunk() const override { return 4; }
};

const PeftForm& form() {
  static const PeftForm form{.type = "LOHA",
                             .keys = {{"r", 8, "r"},
                                      {"alpha", 8, "alpha"},
                                      {"rank_dropout", 0.0, PeftKey::kNoMatter},
                                      {"module_dropout", 0.0, PeftKey::kNoMatter},
                                      {"use_effective_conv2d", false, PeftKey::kNoMatter},
                                      {"init_weights", true, PeftKey::kNoMatter},
                                      {"rank_pattern", Json::object(), "rank_pattern"},
                                      {"alpha_pattern", Json::object(), "alpha_pattern"}}};
  return form;
}

}  // namespace

const MethodInfo& method_loha() {
  static const MethodInfo info{
      .name = "loha",
      .summary = "Adds the element-wise product of two low-rank matrices to linear layers.",
      .citation = "arXiv:2108.06098",
      .example = "loha[r=4,alpha=8]",
      .format = AdapterFormat::kPeft,
      .peft = &form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LoHa>(); }};
  return info;
}

}  // namespace inlay
