// Zero-init attention of LLaMA-Adapter: Zhang et al. 2023, arXiv:2303.16199, section 3.2. The upper
// layers read a trained prompt P (n, hidden) through their own key and value projections, by a
// softmax of its own whose result is weighed by a gate g that starts at 0 and so leaves the base as
// it is:
//   attention(Q, K, V) + g softmax(Q K_P^T / sqrt(D)) V_P    with K_P = W_k P + b_k, V_P alike
// The authors' code has g = tanh of a number per head; PEFT has one number per layer.
#include <cmath>

#include "adapters/method.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/row_ops.h"
#include "autograd/ops/scale_channels.h"
#include "nn/initializers.h"
#include "nn/modules.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

constexpr const char* kTanhPerHead = "tanh_per_head";

class ZeroInitHook : public SiteHook {
 public:
  ZeroInitHook(DerivedParameter& prompt, DerivedParameter& gate) : prompt_(prompt), gate_(gate) {}

  Variable attention(Context& context, const AttentionBlock& block) override {
    Parameter& prompt = prompt_.current();
    const RowSpace& texts = *block.query.row_space();
    const RowSpace* rows = context.virtual_rows(texts, prompt.shape()[0]);
    Variable read = repeat_rows(context, prompt, Precision::kCompute, rows);
    auto project = [&](const KeyValueProjection& projection) {
      const FrozenWeight& weight = projection.layer.weight;
      Variable y = inlay::linear(context, read, {.frozen = &weight}, Precision::kCompute);
      if (projection.count == weight.out()) return y;
      return slice_channels(context, y, projection.first, projection.count);
    };
    Variable mixed = inlay::attention(
        context, block.query, project(block.key_projection), project(block.value_projection),
        texts.example_offsets, rows->example_offsets,
        {.heads = block.shape.heads, .kv_heads = block.shape.kv_heads, .scale = block.shape.scale});
    return scale_channels(context, mixed, gate_.current());
  }

 private:
  DerivedParameter& prompt_;
  DerivedParameter& gate_;
};

// (1, n, hidden), as PEFT keeps it, as (n, hidden).
DerivedParameter& as_rows(ParameterMaker& make, const std::string& name, Parameter& prompt) {
  Shape rows{prompt.shape()[1], prompt.shape()[2]};
  return make.derive(
      name, {&prompt},
      [rows](DerivedParameter::Values values) { return values[0].clone().reshaped(rows); },
      [](DerivedParameter::Values values, const Tensor& grad) {
        return std::vector<Tensor>{grad.clone().reshaped(values[0].shape())};
      });
}

// The factor of every channel: g or tanh(g), each of its numbers over as many channels.
DerivedParameter& channel_gates(ParameterMaker& make, const std::string& name, Parameter& gate,
                                int64_t channels, bool tanh) {
  int64_t each = channels / gate.value().count();
  return make.derive(
      name, {&gate},
      [channels, each, tanh](DerivedParameter::Values values) {
        Tensor factors = Tensor::empty({channels}, values[0].dtype());
        with_real(factors.dtype(), [&](auto zero) {
          using T = decltype(zero);
          const T* g = values[0].data<T>();
          for (int64_t c = 0; c < channels; ++c)
            factors.mutable_data<T>()[c] = tanh ? std::tanh(g[c / each]) : g[c / each];
        });
        return factors;
      },
      [channels, each, tanh](DerivedParameter::Values values, const Tensor& grad) {
        Tensor sums = Tensor::zeros(values[0].shape(), values[0].dtype());
        with_real(sums.dtype(), [&](auto zero) {
          using T = decltype(zero);
          const T* g = values[0].data<T>();
          for (int64_t c = 0; c < channels; ++c) {
            T t = std::tanh(g[c / each]);
            sums.mutable_data<T>()[c / each] += grad.data<T>()[c] * (tanh ? 1 - t * t : T{1});
          }
        });
        return std::vector<Tensor>{std::move(sums)};
      });
}

class ZeroInitPrefix : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("adapter_len", adapter_len_, "rows of the prompt in each layer");
    visit("adapter_layers", adapter_layers_, "how many of the last layers; 0: all");
    visit.choice("gate", gate_, {kTanhPerHead, "scalar"},
                 "tanh of a number per head, or a number per layer as PEFT has it");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(adapter_len_ >= 1 && adapter_len_ <= kLongest, ErrorKind::kUsage,
            "zero_init_prefix: adapter_len is {}; expected 1 to {}", adapter_len_, kLongest);
    require(adapter_layers_ >= 0 && adapter_layers_ <= base.layers, ErrorKind::kUsage,
            "zero_init_prefix: adapter_layers is {}; this base has {} layers", adapter_layers_,
            base.layers);
    int64_t first = adapter_layers_ == 0 ? 0 : base.layers - adapter_layers_;
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (site->kind == SiteKind::kAttention && site->layer >= first) sites.push_back(site);
    }
    require(!sites.empty(), ErrorKind::kUsage,
            "zero_init_prefix: this {} base has no attention to adapt; use lora", base.model_type);
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& prompt = make.make(site, "adaption_prompt",
                                  normal_init({1, adapter_len_, make.base().hidden}, 1.0f,
                                              make.stream(site, "adaption_prompt")));
    bool per_head = gate_ == kTanhPerHead;
    Parameter& gate =
        make.make(site, "adaption_gate", Tensor::zeros({per_head ? site.heads : 1}, DType::kF32));
    return std::make_unique<ZeroInitHook>(
        as_rows(make, site.name + ".prompt_rows", prompt),
        channel_gates(make, site.name + ".channel_gates", gate, site.out, per_head));
  }

 private:
  static constexpr int64_t kLongest = 4096;

  int64_t adapter_len_ = 10;
  int64_t adapter_layers_ = 0;
  std::string gate_ = kTanhPerHead;
};

}  // namespace

const MethodInfo& method_zero_init_prefix() {
  static const MethodInfo info{
      .name = "zero_init_prefix",
      .summary = "Adds attention to a trained prompt, gated from zero.",
      .citation = "arXiv:2303.16199",
      .example = "zero_init_prefix[adapter_len=10]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-2,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<ZeroInitPrefix>(); }};
  return info;
}

}  // namespace inlay
