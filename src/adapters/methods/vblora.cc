// VB-LoRA: Li et al. 2024, "VB-LoRA: extreme parameter efficient fine-tuning with vector banks",
// arXiv:2405.15179, eqs. (3) and (4): A and B of every layer are cut into pieces of b numbers, and
// each piece is a mixture of the best k vectors of one bank that all layers share:
// u = sum over the k largest logits of softmax(those logits) times their vectors.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "adapters/delta_hook.h"
#include "adapters/peft_form.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/lora.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

constexpr float kBankBound = 0.02f;
constexpr float kLogitStd = 0.1f;

enum Source { kLogits, kBank };

// The k largest logits of a piece with their softmax.
template <class T>
struct Mixture {
  std::vector<int64_t> vectors;
  std::vector<T> weights;
};

template <class T>
Mixture<T> mixture_of(const T* logits, int64_t count, int64_t k) {
  std::vector<int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  auto larger = [logits](int64_t a, int64_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + k, order.end(), larger);
  order.resize(static_cast<std::size_t>(k));
  Mixture<T> mixture{order, {}};
  T sum = 0;
  for (int64_t vector : order) {
    mixture.weights.push_back(std::exp(logits[vector] - logits[order.front()]));
    sum += mixture.weights.back();
  }
  for (T& weight : mixture.weights) weight /= sum;
  return mixture;
}

// Where the numbers of a piece stand. Logits are (r, pieces, n) for A and (pieces, r, n) for B.
struct Factor {
  bool of_b;
  int64_t rank, pieces, size, topk;

  // The first number of piece p of rank q, and the step to the next, in A (r, in) or B (out, r).
  int64_t first(int64_t q, int64_t p) const {
    return of_b ? p * size * rank + q : q * pieces * size + p * size;
  }
  int64_t step() const { return of_b ? rank : 1; }
  int64_t logits_at(int64_t q, int64_t p) const { return of_b ? p * rank + q : q * pieces + p; }
};

Tensor assemble(DerivedParameter::Values values, const Factor& factor) {
  int64_t length = factor.pieces * factor.size;
  Shape shape = factor.of_b ? Shape{length, factor.rank} : Shape{factor.rank, length};
  Tensor whole = Tensor::zeros(shape, values[0].dtype());
  with_real(whole.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto bank = const_matrix<T>(values[kBank]);
    int64_t count = bank.rows();
    for (int64_t q = 0; q < factor.rank; ++q) {
      for (int64_t p = 0; p < factor.pieces; ++p) {
        Mixture<T> mixture = mixture_of(values[kLogits].data<T>() + factor.logits_at(q, p) * count,
                                        count, factor.topk);
        T* piece = whole.mutable_data<T>() + factor.first(q, p);
        for (std::size_t m = 0; m < mixture.vectors.size(); ++m) {
          for (int64_t i = 0; i < factor.size; ++i)
            piece[i * factor.step()] += mixture.weights[m] * bank(mixture.vectors[m], i);
        }
      }
    }
  });
  return whole;
}

// With g_m = grad . v_m: dlogit_m = w_m (g_m - sum w g), dv_m = w_m grad.
std::vector<Tensor> assemble_backward(DerivedParameter::Values values, const Tensor& grad,
                                      const Factor& factor) {
  std::vector<Tensor> grads{Tensor::zeros(values[kLogits].shape(), values[kLogits].dtype()),
                            Tensor::zeros(values[kBank].shape(), values[kBank].dtype())};
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto bank = const_matrix<T>(values[kBank]);
    auto bank_grad = matrix<T>(grads[kBank]);
    int64_t count = bank.rows();
    for (int64_t q = 0; q < factor.rank; ++q) {
      for (int64_t p = 0; p < factor.pieces; ++p) {
        int64_t at = factor.logits_at(q, p) * count;
        Mixture<T> mixture = mixture_of(values[kLogits].data<T>() + at, count, factor.topk);
        const T* seed = grad.data<T>() + factor.first(q, p);
        std::vector<T> slopes;
        T mean = 0;
        for (std::size_t m = 0; m < mixture.vectors.size(); ++m) {
          T slope = 0;
          for (int64_t i = 0; i < factor.size; ++i) {
            slope += seed[i * factor.step()] * bank(mixture.vectors[m], i);
            bank_grad(mixture.vectors[m], i) += mixture.weights[m] * seed[i * factor.step()];
          }
          slopes.push_back(slope);
          mean += mixture.weights[m] * slope;
        }
        for (std::size_t m = 0; m < mixture.vectors.size(); ++m)
          grads[kLogits].mutable_data<T>()[at + mixture.vectors[m]] =
              mixture.weights[m] * (slopes[m] - mean);
      }
    }
  });
  return grads;
}

class VbLoraHook : public SiteHook {
 public:
  VbLoraHook(DerivedParameter& a, DerivedParameter& b, double dropout, std::string stream)
      : a_(a), b_(b), dropout_(dropout), stream_(std::move(stream)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    return lora(context, std::move(y), inlay::dropout(context, x, dropout_, stream_), a_.current(),
                b_.current(), 1.0f);
  }

  bool merge(MergedTensors& merged) override {
    const Tensor &a = a_.current().value(), &b = b_.current().value();
    Tensor delta = Tensor::empty(merged.weight.shape(), a.dtype());
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      matrix<T>(delta).noalias() = const_matrix<T>(b) * const_matrix<T>(a);
    });
    merge_delta(merged, delta);
    return true;
  }

 private:
  DerivedParameter& a_;
  DerivedParameter& b_;
  double dropout_;
  std::string stream_;
};

class VbLora : public TargetedMethod {
 public:
  void fields(FieldVisitor& visit) override {
    visit("r", r_, "rank of the update");
    visit("num_vectors", num_vectors_, "vectors in the bank");
    visit("vector_length", vector_length_, "their length: a divisor of inputs and outputs");
    visit("topk", topk_, "vectors mixed in each piece");
    visit("dropout", dropout_, "probability of dropping an input of the update while training");
    target_fields(visit);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& bank = make.shared("vblora_vector_bank", [this](const Stream& stream) {
      return uniform_init({num_vectors_, vector_length_}, kBankBound, stream);
    });
    DerivedParameter& a = factor_of(site, make, bank, false, site.in / vector_length_);
    DerivedParameter& b = factor_of(site, make, bank, true, site.out / vector_length_);
    return std::make_unique<VbLoraHook>(a, b, dropout_, "dropout/vblora/" + site.name);
  }

  bool identity_at_start() const override { return false; }

 protected:
  void check() const override {
    require(topk_ >= 1 && topk_ <= num_vectors_ && r_ >= 1 && vector_length_ >= 1,
            ErrorKind::kUsage,
            "vblora: topk {} must be 1 to num_vectors {}, r {} and vector_length {} at least 1",
            topk_, num_vectors_, r_, vector_length_);
    check_probability("vblora: dropout", dropout_);
  }
  void check_site(const Site& site) const override {
    require(site.in % vector_length_ == 0 && site.out % vector_length_ == 0, ErrorKind::kUsage,
            "vblora: vector_length {} does not divide both the {} inputs and the {} outputs of {}; "
            "use a divisor of {}",
            vector_length_, site.in, site.out, site.name, std::gcd(site.in, site.out));
  }

 private:
  DerivedParameter& factor_of(const Site& site, ParameterMaker& make, Parameter& bank, bool of_b,
                              int64_t pieces) const {
    const char* part = of_b ? "vblora_logits_B" : "vblora_logits_A";
    Shape shape = of_b ? Shape{pieces, r_, num_vectors_} : Shape{r_, pieces, num_vectors_};
    Parameter& logits =
        make.make(site, part, normal_init(shape, kLogitStd, make.stream(site, part)));
    Factor factor{of_b, r_, pieces, vector_length_, topk_};
    return make.derive(
        site.name + "." + part, {&logits, &bank},
        [factor](auto values) { return assemble(values, factor); },
        [factor](auto values, const Tensor& grad) {
          return assemble_backward(values, grad, factor);
        });
  }

  int64_t r_ = 4, num_vectors_ = 256, vector_length_ = 128, topk_ = 2;
  double dropout_ = 0;
};

std::string bank_key(const std::string& name) { return "base_model." + name; }

const PeftForm& vblora_form() {
  static const PeftForm form{.type = "VBLORA",
                             .keys = {{"r", 4, "r"},
                                      {"num_vectors", 256, "num_vectors"},
                                      {"vector_length", 256, "vector_length"},
                                      {"topk", 2, "topk"},
                                      {"save_only_topk_weights", false, PeftKey::kFixed},
                                      {"vblora_dropout", 0.0, "dropout"},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"init_vector_bank_bound", 0.02, PeftKey::kNoMatter},
                                      {"init_logits_std", 0.1, PeftKey::kNoMatter}},
                             .shared_key = bank_key};
  return form;
}

}  // namespace

const MethodInfo& method_vblora() {
  static const MethodInfo info{
      .name = "vblora",
      .summary = "Builds low-rank updates from one bank of vectors.",
      .citation = "arXiv:2405.15179",
      .example = "vblora[r=2,num_vectors=12,vector_length=8]",
      .format = AdapterFormat::kPeft,
      .peft = &vblora_form(),
      .learning_rate = 1e-2,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<VbLora>(); }};
  return info;
}

}  // namespace inlay
