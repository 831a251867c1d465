// RandLoRA: Albert et al. 2025, arXiv:2502.00987, eq. (3): dW = (alpha / r) sum_n B_n L_n A G_n, of
// full rank: A (r, small) and the B_n (large, r) are random, frozen and shared by all layers, each
// of which takes the beginnings that fit its larger and smaller size; trained are the diagonals
// L_n (r) and G_n (small). The sum is one product P Q over r times as many columns of
// P = [B_1 B_2 ...] as there are n, with the rows of Q l_{kn} A_k * G_n. As PEFT lays them out,
// column j of P belongs to k = j / n_bases, n = j mod n_bases, which pairs random columns another
// way. A layer with more inputs than outputs adds (P Q)^T.
#include <algorithm>
#include <cmath>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

int64_t bases_for(int64_t small, int64_t rank) { return (small + rank - 1) / rank; }

// Uniform numbers over their own standard deviation.
Tensor random_bases(const Shape& shape, const Stream& stream) {
  Tensor values = uniform_init(shape, 1.0f, stream);
  double sum = 0, squares = 0;
  const auto* data = values.data<float>();
  for (int64_t i = 0; i < values.count(); ++i) {
    sum += static_cast<double>(data[i]);
    squares += static_cast<double>(data[i]) * static_cast<double>(data[i]);
  }
  auto count = static_cast<double>(values.count());
  double deviation = std::sqrt((squares - sum * sum / count) / std::max(1.0, count - 1));
  for (int64_t i = 0; i < values.count(); ++i)
    values.mutable_data<float>()[i] = static_cast<float>(static_cast<double>(data[i]) / deviation);
  return values;
}

struct Sizes {
  int64_t rank, bases, small, large;
  bool turned;  // more inputs than outputs
};

template <class T>
void copy_turned(const RowMajor<T>& source, bool turned, Tensor& dst) {
  if (turned) {
    matrix<T>(dst) = source.transpose();
  } else {
    matrix<T>(dst) = source;
  }
}

// P (large, bases * rank) from B (L, N, rank), or its transpose.
Tensor frozen_side(const Tensor& b, const Sizes& sizes) {
  int64_t width = sizes.bases * sizes.rank;
  Shape shape = sizes.turned ? Shape{width, sizes.large} : Shape{sizes.large, width};
  Tensor side = Tensor::empty(shape, b.dtype());
  with_real(b.dtype(), [&](auto zero) {
    using T = decltype(zero);
    RowMajor<T> p = Eigen::Map<const RowMajor<T>>(b.data<T>(), b.dim(0), b.dim(1) * b.dim(2))
                        .topLeftCorner(sizes.large, width);
    copy_turned<T>(p, sizes.turned, side);
  });
  return side;
}

enum RandLoRASource { kLambda, kGamma, kBase };

// Q (bases * rank, small), or its transpose; sources: lambda (rank, bases), gamma (bases, small),
// A (R, 1, S).
Tensor trained_side(DerivedParameter::Values values, const Sizes& sizes, double scale) {
  int64_t width = sizes.bases * sizes.rank;
  Shape shape = sizes.turned ? Shape{sizes.small, width} : Shape{width, sizes.small};
  Tensor side = Tensor::empty(shape, values[kLambda].dtype());
  with_real(side.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto lambda = const_matrix<T>(values[kLambda]), gamma = const_matrix<T>(values[kGamma]);
    const T* base = values[kBase].data<T>();
    RowMajor<T> q(width, sizes.small);
    for (int64_t j = 0; j < width; ++j) {
      int64_t k = j / sizes.bases, n = j % sizes.bases;
      Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>> a(base + k * values[kBase].dim(2),
                                                              sizes.small);
      q.row(j) = static_cast<T>(scale) * lambda(k, n) * a.cwiseProduct(gamma.row(n));
    }
    copy_turned<T>(q, sizes.turned, side);
  });
  return side;
}

std::vector<Tensor> trained_side_backward(DerivedParameter::Values values, const Tensor& grad,
                                          const Sizes& sizes, double scale) {
  std::vector<Tensor> grads(3);
  grads[kLambda] = Tensor::zeros(values[kLambda].shape(), grad.dtype());
  grads[kGamma] = Tensor::zeros(values[kGamma].shape(), grad.dtype());
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto lambda = const_matrix<T>(values[kLambda]), gamma = const_matrix<T>(values[kGamma]);
    auto grad_lambda = matrix<T>(grads[kLambda]), grad_gamma = matrix<T>(grads[kGamma]);
    RowMajor<T> seed = const_matrix<T>(grad);
    if (sizes.turned) seed = RowMajor<T>(seed.transpose());
    const T* base = values[kBase].data<T>();
    for (int64_t j = 0; j < sizes.bases * sizes.rank; ++j) {
      int64_t k = j / sizes.bases, n = j % sizes.bases;
      Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>> a(base + k * values[kBase].dim(2),
                                                              sizes.small);
      auto through = static_cast<T>(scale) * a.cwiseProduct(seed.row(j));
      grad_lambda(k, n) = through.dot(gamma.row(n));
      grad_gamma.row(n) += lambda(k, n) * through;
    }
  });
  return grads;
}

// y + second first x, the two sides in the order that the layer's sizes ask for.
class RandLoraHook : public SiteHook {
 public:
  RandLoraHook(DerivedParameter& first, DerivedParameter& second, double dropout,
               std::string stream)
      : first_(first), second_(second), dropout_(dropout), stream_(std::move(stream)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    Variable read = inlay::dropout(context, x, dropout_, stream_);
    Variable inner =
        inlay::linear(context, read, {.weight = &first_.current()}, Precision::kCompute);
    Variable update =
        inlay::linear(context, inner, {.weight = &second_.current()}, Precision::kFull);
    return add_scaled(context, y, update, 1.0f);
  }

  bool merge(MergedTensors& merged) override {
    const Tensor &first = first_.current().value(), &second = second_.current().value();
    Tensor delta = Tensor::empty(merged.weight.shape(), first.dtype());
    with_real(first.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(delta).noalias() = const_matrix<T>(second) * const_matrix<T>(first);
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  DerivedParameter& first_;
  DerivedParameter& second_;
  double dropout_;
  std::string stream_;
};

class RandLora : public TargetedMethod {
 public:
  RandLora() : TargetedMethod({SiteRole::kQuery, SiteRole::kValue}) {}

  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank of each base; the smaller, the more are trained");
    visit("alpha", alpha_, "the update is scaled by alpha / r");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Sizes sizes = sizes_at(site);
    Parameter& a = make.shared_fixed("randlora_A", [&](const Stream& stream) {
      return random_bases({r_, 1, largest(make).small}, stream);
    });
    Parameter& b = make.shared_fixed("randlora_B", [&](const Stream& stream) {
      Sizes all = largest(make);
      return random_bases({all.large, all.bases, r_}, stream);
    });
    Parameter& lambda =
        make.make(site, "randlora_lambda", Tensor::zeros({sizes.rank, sizes.bases}, DType::kF32));
    Tensor even = Tensor::empty({sizes.bases, sizes.small}, DType::kF32);
    std::fill_n(even.mutable_data<float>(), even.count(),
                1.0f / static_cast<float>(std::max(sizes.bases, sizes.small)));
    Parameter& gamma = make.make(site, "randlora_gamma", std::move(even));
    // Layers of the same sizes share the frozen side and its packed forms.
    DerivedParameter& frozen = make.derive_shared(
        fmt::format("randlora_B.{}x{}.{}", sizes.large, sizes.small, sizes.turned), {&b},
        [sizes](auto values) { return frozen_side(values[0], sizes); },
        [](auto, const Tensor&) { return std::vector<Tensor>(1); });
    double scale = alpha_ / static_cast<double>(r_);
    DerivedParameter& trained = make.derive(
        site.name + ".randlora", {&lambda, &gamma, &a},
        [sizes, scale](auto values) { return trained_side(values, sizes, scale); },
        [sizes, scale](auto values, const Tensor& grad) {
          return trained_side_backward(values, grad, sizes, scale);
        });
    return std::make_unique<RandLoraHook>(sizes.turned ? frozen : trained,
                                          sizes.turned ? trained : frozen, dropout_,
                                          "dropout/randlora/" + site.name);
  }

  int64_t gradient_chunk() const override { return 4; }

 protected:
  void check() const override {
    require(alpha_ != 0, ErrorKind::kUsage,
            "randlora: alpha is 0, so that the update would have no effect; expected another "
            "number");
    check_probability("randlora: dropout", dropout_);
  }
  void check_site(const Site& site) const override {
    int64_t limit = std::min(site.in, site.out);
    require(r_ >= 1 && r_ <= limit, ErrorKind::kUsage,
            "randlora: r is {} at {} (in {}, out {}); expected 1 to {}", r_, site.name, site.in,
            site.out, limit);
  }

 private:
  Sizes sizes_of(int64_t in, int64_t out) const {
    int64_t small = std::min(in, out);
    return {r_, bases_for(small, r_), small, std::max(in, out), in > out};
  }
  Sizes sizes_at(const Site& site) const { return sizes_of(site.in, site.out); }

  // Of the shared bases: the most inputs and the most outputs that any adapted layer has.
  Sizes largest(const ParameterMaker& make) const {
    int64_t in = 0, out = 0;
    for (const Site* site : make.sites()) {
      in = std::max(in, site->in);
      out = std::max(out, site->out);
    }
    return sizes_of(in, out);
  }

  int64_t r_ = 32;
  double alpha_ = 640;
  double dropout_ = 0;
};

const PeftForm& randlora_form() {
  // How the bases were drawn does not matter where they are saved.
  static const PeftForm form{.type = "RANDLORA",
                             .keys = {{"r", 32, "r"},
                                      {"randlora_alpha", 640, "alpha"},
                                      {"randlora_dropout", 0.0, "dropout"},
                                      {"save_projection", true, PeftKey::kFixed},
                                      {"projection_prng_key", 0, PeftKey::kNoMatter},
                                      {"sparse", false, PeftKey::kNoMatter},
                                      {"very_sparse", false, PeftKey::kNoMatter},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_weights", true, PeftKey::kNoMatter}}};
  return form;
}

}  // namespace

const MethodInfo& method_randlora() {
  static const MethodInfo info{
      .name = "randlora",
      .summary = "Adds a full-rank sum of frozen random bases with trained diagonals.",
      .citation = "arXiv:2502.00987",
      .example = "randlora[r=4,alpha=80]",
      .format = AdapterFormat::kPeft,
      .peft = &randlora_form(),
      .learning_rate = 1e-3,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<RandLora>(); }};
  return info;
}

}  // namespace inlay
