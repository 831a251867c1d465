// LoHa: Hyeon-Woo et al. 2022, "FedPara", arXiv:2108.06098, proposition 2: two low-rank matrices
// multiplied element by element, dW = (alpha / r) (W1a W1b) * (W2a W2b), of rank up to r^2.
#include <algorithm>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/lora.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"
#include "tensor/transposed.h"

namespace inlay {
namespace {

enum LoHaFactor { kW1a, kW1b, kW2a, kW2b };

template <class T>
RowMajor<T> loha_product(DerivedParameter::Values values, LoHaFactor left, LoHaFactor right) {
  return const_matrix<T>(values[left]) * const_matrix<T>(values[right]);
}

Tensor update(DerivedParameter::Values values, double scale) {
  Tensor delta = Tensor::empty({values[kW1a].dim(0), values[kW1b].dim(1)}, values[kW1a].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(delta) =
        static_cast<T>(scale) *
        loha_product<T>(values, kW1a, kW1b).cwiseProduct(loha_product<T>(values, kW2a, kW2b));
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
    RowMajor<T> first = seed.cwiseProduct(loha_product<T>(values, kW2a, kW2b));
    RowMajor<T> second = seed.cwiseProduct(loha_product<T>(values, kW1a, kW1b));
    matrix<T>(grads[kW1a]).noalias() = first * const_matrix<T>(values[kW1b]).transpose();
    matrix<T>(grads[kW1b]).noalias() = const_matrix<T>(values[kW1a]).transpose() * first;
    matrix<T>(grads[kW2a]).noalias() = second * const_matrix<T>(values[kW2b]).transpose();
    matrix<T>(grads[kW2b]).noalias() = const_matrix<T>(values[kW2a]).transpose() * second;
  });
  return grads;
}

// All products of a row of one matrix with a row of the other: row i r + j is first_i * second_j.
Tensor paired_rows(DerivedParameter::Values values) {
  int64_t rank = values[0].dim(0);
  Tensor pairs = Tensor::empty({rank * rank, values[0].dim(1)}, values[0].dtype());
  with_real(pairs.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto first = const_matrix<T>(values[0]), second = const_matrix<T>(values[1]);
    for (int64_t i = 0; i < rank * rank; ++i)
      matrix<T>(pairs).row(i) = first.row(i / rank).cwiseProduct(second.row(i % rank));
  });
  return pairs;
}

std::vector<Tensor> paired_rows_backward(DerivedParameter::Values values, const Tensor& grad) {
  int64_t rank = values[0].dim(0);
  std::vector<Tensor> grads{Tensor::zeros(values[0].shape(), grad.dtype()),
                            Tensor::zeros(values[1].shape(), grad.dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto first = const_matrix<T>(values[0]), second = const_matrix<T>(values[1]);
    auto seed = const_matrix<T>(grad);
    for (int64_t i = 0; i < rank * rank; ++i) {
      matrix<T>(grads[0]).row(i / rank) += seed.row(i).cwiseProduct(second.row(i % rank));
      matrix<T>(grads[1]).row(i % rank) += seed.row(i).cwiseProduct(first.row(i / rank));
    }
  });
  return grads;
}

// The same of columns.
Tensor paired_columns(DerivedParameter::Values values) {
  std::vector<Tensor> rows{transposed(values[0]), transposed(values[1])};
  return transposed(paired_rows(rows));
}

std::vector<Tensor> paired_columns_backward(DerivedParameter::Values values, const Tensor& grad) {
  std::vector<Tensor> rows{transposed(values[0]), transposed(values[1])};
  std::vector<Tensor> grads = paired_rows_backward(rows, transposed(grad));
  return {transposed(grads[0]), transposed(grads[1])};
}

// dW = s B A with the pairs of columns of the W_a and the pairs of rows of the W_b: where r^2 is
// small, far cheaper than dW itself.
class PairsHook : public SiteHook {
 public:
  PairsHook(DerivedParameter& a, DerivedParameter& b, double scale) : a_(a), b_(b), scale_(scale) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    return lora(context, std::move(y), x, a_.current(), b_.current(), static_cast<float>(scale_));
  }

  bool merge(MergedTensors& merged) override {
    const Tensor &a = a_.current().value(), &b = b_.current().value();
    Tensor delta = Tensor::empty(merged.weight.shape(), a.dtype());
    with_real(a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(delta).noalias() = static_cast<T>(scale_) * const_matrix<T>(b) * const_matrix<T>(a);
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  DerivedParameter& a_;
  DerivedParameter& b_;
  double scale_;
};

class LoHa : public RankedMethod {
 public:
  LoHa() : RankedMethod(4, 8) {}

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
    if (4 * rank * rank <= std::min(site.in, site.out)) {
      DerivedParameter& a =
          make.derive(site.name + ".loha_a", {w1b, &w2b}, paired_rows, paired_rows_backward);
      DerivedParameter& b =
          make.derive(site.name + ".loha_b", {w1a, w2a}, paired_columns, paired_columns_backward);
      return std::make_unique<PairsHook>(a, b, scale);
    }
    DerivedParameter& delta = make.derive(
        site.name + ".loha", {w1a, w1b, w2a, &w2b},
        [scale](auto values) { return update(values, scale); },
        [scale](auto values, const Tensor& grad) { return update_backward(values, grad, scale); });
    return make_delta_hook(delta, 0, "");
  }

  int64_t gradient_chunk() const override { return 4; }
};

const PeftForm& loha_form() {
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
      .peft = &loha_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LoHa>(); }};
  return info;
}

}  // namespace inlay
