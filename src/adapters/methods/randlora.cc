// RandLoRA: Albert et al. 2025, arXiv:2502.00987, eq. (3): dW = s sum_j B_j diag(l_j) A diag(g_j),
// a sum of enough random low-rank matrices to be of full rank; only the l_j (r) and g_j (the
// smaller of in and out) are trained. A and the B_j are drawn once and shared by all layers, each
// using their first rows and columns. s = alpha / (r sqrt(n)) with n matrices.
#include <algorithm>
#include <cmath>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

enum Source { kLambda, kGamma, kA, kB };

// The update of a layer that is `small` on its smaller side and `large` on the other.
struct Plan {
  int64_t small, large, rank, count;
  bool transposed;  // the outputs are the smaller side
  double scale;
};

// B_1 ... B_n side by side: (large, n r).
template <class T>
RowMajor<T> left_of(DerivedParameter::Values values, const Plan& plan) {
  return const_matrix<T>(values[kB]).topLeftCorner(plan.large, plan.count * plan.rank);
}

// diag(l_j) A diag(g_j) below one another: (n r, small).
template <class T>
RowMajor<T> right_of(DerivedParameter::Values values, const Plan& plan) {
  RowMajor<T> right(plan.count * plan.rank, plan.small);
  auto a = const_matrix<T>(values[kA]).topLeftCorner(plan.rank, plan.small);
  auto lambda = const_matrix<T>(values[kLambda]), gamma = const_matrix<T>(values[kGamma]);
  for (int64_t j = 0; j < plan.count; ++j) {
    right.middleRows(j * plan.rank, plan.rank) =
        lambda.col(j).asDiagonal() * a * gamma.row(j).asDiagonal();
  }
  return right;
}

Tensor update(DerivedParameter::Values values, const Plan& plan) {
  int64_t rows = plan.transposed ? plan.small : plan.large;
  int64_t columns = plan.transposed ? plan.large : plan.small;
  Tensor delta = Tensor::empty({rows, columns}, values[0].dtype());
  with_real(delta.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> product =
        static_cast<T>(plan.scale) * (left_of<T>(values, plan) * right_of<T>(values, plan));
    if (plan.transposed) {
      matrix<T>(delta) = product.transpose();
    } else {
      matrix<T>(delta) = product;
    }
  });
  return delta;
}

std::vector<Tensor> update_backward(DerivedParameter::Values values, const Tensor& grad,
                                    const Plan& plan) {
  std::vector<Tensor> grads(values.size());
  for (Source source : {kLambda, kGamma})
    grads[source] = Tensor::empty(values[source].shape(), values[source].dtype());
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> seed = const_matrix<T>(grad);
    if (plan.transposed) seed = seed.transpose().eval();
    RowMajor<T> right = static_cast<T>(plan.scale) * (left_of<T>(values, plan).transpose() * seed);
    auto a = const_matrix<T>(values[kA]).topLeftCorner(plan.rank, plan.small);
    auto lambda = const_matrix<T>(values[kLambda]), gamma = const_matrix<T>(values[kGamma]);
    for (int64_t j = 0; j < plan.count; ++j) {
      RowMajor<T> shared = right.middleRows(j * plan.rank, plan.rank).cwiseProduct(a);
      matrix<T>(grads[kLambda]).col(j) = shared * gamma.row(j).transpose();
      matrix<T>(grads[kGamma]).row(j) = lambda.col(j).transpose() * shared;
    }
  });
  return grads;
}

class RandLora : public TargetedMethod {
 public:
  RandLora() : TargetedMethod({SiteRole::kQuery, SiteRole::kValue}) {}

  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank of each of the random matrices");
    visit("alpha", alpha_, "the update is scaled by alpha / (r sqrt(their number))");
    visit("projection_prng_key", key_, "decides the random matrices");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t small = std::min(site.in, site.out), large = std::max(site.in, site.out);
    int64_t count = bases_for(small), widest = 0, tallest = 0;
    for (const Site* other : make.sites()) {
      widest = std::max(widest, std::min(other->in, other->out));
      tallest = std::max(tallest, std::max(other->in, other->out));
    }
    Parameter& lambda = make.make(site, "randlora_lambda", Tensor::zeros({r_, count}, DType::kF32));
    Parameter& gamma = make.make(site, "randlora_gamma", constant({count, small}, small));
    auto drawn = [this](const char* name, const Shape& shape) {
      return [this, name, shape](const Stream&) {
        return kaiming_uniform_init(shape, Stream(static_cast<uint64_t>(key_), name));
      };
    };
    Parameter& a = make.shared_fixed("randlora_A", drawn("randlora_A", {r_, widest}));
    Parameter& b =
        make.shared_fixed("randlora_B", drawn("randlora_B", {tallest, bases_for(widest) * r_}));
    double scale = alpha_ / (static_cast<double>(r_) * std::sqrt(static_cast<double>(count)));
    Plan plan{small, large, r_, count, site.out < site.in, scale};
    DerivedParameter& delta = make.derive(
        site.name + ".randlora", {&lambda, &gamma, &a, &b},
        [plan](auto values) { return update(values, plan); },
        [plan](auto values, const Tensor& grad) { return update_backward(values, grad, plan); });
    return make_delta_hook(delta, dropout_, "dropout/randlora/" + site.name);
  }

  int64_t gradient_chunk() const override { return 4; }

 protected:
  void check() const override {
    require(dropout_ >= 0 && dropout_ < 1 && alpha_ != 0 && key_ >= 0, ErrorKind::kUsage,
            "randlora: dropout {} must be 0 or more and below 1, alpha {} not 0, "
            "projection_prng_key {} not negative",
            dropout_, alpha_, key_);
  }
  void check_site(const Site& site) const override {
    int64_t limit = std::min(site.in, site.out);
    require(r_ >= 1 && r_ <= limit, ErrorKind::kUsage,
            "randlora: r is {} at {}; expected 1 to min(in {}, out {})", r_, site.name, site.in,
            site.out);
  }

 private:
  // So many that their sum can have full rank.
  int64_t bases_for(int64_t small) const { return (small + r_ - 1) / r_; }

  static Tensor constant(const Shape& shape, int64_t over) {
    Tensor tensor = Tensor::empty(shape, DType::kF32);
    float value = 1.0f / static_cast<float>(std::max(shape[0], over));
    std::fill_n(tensor.mutable_data<float>(), tensor.count(), value);
    return tensor;
  }

  int64_t r_ = 32;
  double alpha_ = 640;
  int64_t key_ = 0;
  double dropout_ = 0;
};

}  // namespace

const MethodInfo& method_randlora() {
  static const MethodInfo info{
      .name = "randlora",
      .summary = "Adds a full-rank sum of fixed random matrices with trained diagonals.",
      .citation = "arXiv:2502.00987",
      .example = "randlora[r=8,alpha=16]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<RandLora>(); }};
  return info;
}

}  // namespace inlay
