// P-tuning: Liu et al. 2021, arXiv:2103.10385, section 3.2: the virtual tokens of a prompt come out
// of a network, so that they are learned together. PEFT's form of it: from an embedding E
// (n, hidden), P = W_4 relu(W_2 relu(W_0 E + b_0) + b_2) + b_4. What the base reads is P alone.
#include <cmath>

#include "adapters/method.h"
#include "adapters/prompt_peft.h"
#include "adapters/virtual_tokens.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

constexpr const char* kPTuning = "p_tuning";
constexpr const char* kNone = "none";
constexpr std::size_t kLayers = 3;
using Values = DerivedParameter::Values;

// The sources: E, then weight and bias of each layer.
const Tensor& weight_of(Values values, std::size_t layer) { return values[1 + 2 * layer]; }
const Tensor& bias_of(Values values, std::size_t layer) { return values[2 + 2 * layer]; }

template <class T>
RowMajor<T> affine(const RowMajor<T>& x, Values values, std::size_t layer) {
  RowMajor<T> y = x * const_matrix<T>(weight_of(values, layer)).transpose();
  y.rowwise() += const_matrix<T>(bias_of(values, layer)).row(0);
  return y;
}

// What each layer reads.
template <class T>
std::vector<RowMajor<T>> inputs(Values values) {
  std::vector<RowMajor<T>> read;
  read.reserve(kLayers);
  read.push_back(const_matrix<T>(values[0]));
  for (std::size_t layer = 0; layer + 1 < kLayers; ++layer)
    read.push_back(affine<T>(read.back(), values, layer).cwiseMax(T{0}));
  return read;
}

Tensor encode(Values values) {
  Tensor rows = Tensor::empty(values[0].shape(), values[0].dtype());
  with_real(rows.dtype(), [&](auto zero) {
    using T = decltype(zero);
    matrix<T>(rows) = affine<T>(inputs<T>(values).back(), values, kLayers - 1);
  });
  return rows;
}

std::vector<Tensor> encode_backward(Values values, const Tensor& grad) {
  std::vector<Tensor> grads;
  grads.reserve(values.size());
  for (const Tensor& value : values) grads.push_back(Tensor::empty(value.shape(), value.dtype()));
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<RowMajor<T>> read = inputs<T>(values);
    RowMajor<T> dy = const_matrix<T>(grad);
    for (std::size_t layer = kLayers; layer-- > 0;) {
      matrix<T>(grads[1 + 2 * layer]).noalias() = dy.transpose() * read[layer];
      matrix<T>(grads[2 + 2 * layer]) = dy.colwise().sum();
      RowMajor<T> dx = dy * const_matrix<T>(weight_of(values, layer));
      if (layer > 0) dx.array() *= (read[layer].array() > T{0}).template cast<T>();
      dy = std::move(dx);
    }
    matrix<T>(grads[0]) = dy;
  });
  return grads;
}

class PTuning : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("num_virtual_tokens", num_virtual_tokens_, "rows set before each text");
    visit.choice(
        "encoder_reparameterization_type", encoder_, {"MLP", kNone},
        "the network; none: the rows are trained themselves, as after loading PEFT's files");
    visit("encoder_hidden_size", encoder_hidden_size_, "its hidden size; 0: the base's");
    place_.fields(visit);
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    check_virtual_tokens(base, num_virtual_tokens_, kPTuning);
    require(encoder_hidden_size_ >= 0 && encoder_hidden_size_ <= kMostHidden, ErrorKind::kUsage,
            "p_tuning: encoder_hidden_size is {}; expected 1 to {}, or 0 for the base's",
            encoder_hidden_size_, kMostHidden);
    return place_.select(base, kPTuning);
  }

  std::unique_ptr<SiteHook> attach(const Site&, ParameterMaker& make) const override {
    int64_t width = make.base().hidden;
    auto normal = [&](const Stream& stream) {
      return normal_init({num_virtual_tokens_, width}, 1.0f, stream);
    };
    if (encoder_ == kNone)
      return make_prompt_hook(make.shared("prompt_embeddings", normal), place_);
    int64_t hidden = encoder_hidden_size_ == 0 ? width : encoder_hidden_size_;
    std::vector<Parameter*> sources{&make.shared("embedding.weight", normal)};
    add_linear(make, "mlp_head.0", hidden, width, sources);
    add_linear(make, "mlp_head.2", hidden, hidden, sources);
    add_linear(make, "mlp_head.4", width, hidden, sources);
    return make_prompt_hook(
        make.derive("prompt_embeddings", std::move(sources), encode, encode_backward), place_);
  }

  bool identity_at_start() const override { return false; }
  // PEFT keeps the rows alone, without the network that training goes on with.
  bool fits_format() const override { return encoder_ == kNone && place_.is_of_peft(); }
  int64_t positions_taken() const override { return place_.positions_taken(num_virtual_tokens_); }

 private:
  static constexpr int64_t kMostHidden = 65536;

  // Weight (out, in) and bias of a layer, as PyTorch starts them.
  static void add_linear(ParameterMaker& make, const std::string& name, int64_t out, int64_t in,
                         std::vector<Parameter*>& sources) {
    sources.push_back(&make.shared(name + ".weight", [&](const Stream& stream) {
      return kaiming_uniform_init({out, in}, stream);
    }));
    sources.push_back(&make.shared(name + ".bias", [&](const Stream& stream) {
      return uniform_init({out}, 1.0f / std::sqrt(static_cast<float>(in)), stream);
    }));
  }

  int64_t num_virtual_tokens_ = 10;
  std::string encoder_ = "MLP";
  int64_t encoder_hidden_size_ = 0;
  PromptPlace place_;
};

}  // namespace

const MethodInfo& method_p_tuning() {
  static const MethodInfo info{
      .name = kPTuning,
      .summary = "Sets virtual tokens before each text that a trained network makes.",
      .citation = "arXiv:2103.10385",
      .example = "p_tuning[num_virtual_tokens=10]",
      .format = AdapterFormat::kPeft,
      .peft = &p_tuning_peft_form(),
      .learning_rate = 3e-3,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<PTuning>(); }};
  return info;
}

}  // namespace inlay
