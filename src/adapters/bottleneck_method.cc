#include "adapters/bottleneck_method.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "adapters/bottleneck_config.h"
#include "adapters/bottleneck_hook.h"
#include "adapters/invertible_hook.h"
#include "adapters/phm_layer.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr float kBertStd = 0.02f;
constexpr float kHoulsbyStd = 0.01f;  // cut at two standard deviations

// N(0, std^2) without what lies beyond two standard deviations: such numbers are drawn again.
Tensor truncated_normal(const Shape& shape, float std, const Stream& stream) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  auto* values = tensor.mutable_data<float>();
  auto count = static_cast<uint64_t>(tensor.count());
  for (uint64_t i = 0; i < count; ++i) {
    float value = stream.normal(i);
    for (uint64_t again = 1; std::fabs(value) > 2.0f; ++again)
      value = stream.normal(i + again * count);
    values[i] = std * value;
  }
  return tensor;
}

Tensor ones(int64_t count) {
  Tensor tensor = Tensor::empty({count}, DType::kF32);
  std::fill_n(tensor.mutable_data<float>(), count, 1.0f);
  return tensor;
}

class Bottlenecks : public Method {
 public:
  explicit Bottlenecks(std::string preset) : config_(std::move(preset)) {}

  void fields(FieldVisitor& visit) override { config_.fields(visit); }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    config_.check();
    for (const std::string& layer : config_.leave_out) check_layer(base, layer);
    std::vector<const Site*> sites;
    std::copy_if(base.sites.begin(), base.sites.end(), std::back_inserter(sites),
                 [this](const Site* site) { return adapts(*site); });
    require(!sites.empty(), ErrorKind::kUsage,
            "bottleneck: no place is left; set mh_adapter or output_adapter, and leave fewer "
            "layers out");
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    if (site.role == SiteRole::kEmbeddingOutput) return invertible(site, make);
    int64_t size = reduced(site.out, config_.reduction_factor);
    NetworkWeight down_weight = weight(site, "adapter_down.0", site.out, size, make);
    Parameter& down_bias = bias(site, "adapter_down.0", size, make);
    NetworkWeight up_weight = weight(site, "adapter_up", size, site.out, make);
    Bottleneck tensors{down_weight,         down_bias,
                       up_weight,           bias(site, "adapter_up", site.out, make),
                       scaling(site, make), std::nullopt};
    if (config_.use_gating) tensors.gate.emplace(site, site.out, make);
    return make_bottleneck_hook(tensors, wiring(), site.name);
  }

  bool identity_at_start() const override {
    return config_.init_weights == "mam_adapter" && config_.residual_before_ln == "true";
  }

 private:
  bool adapts(const Site& site) const {
    SiteRole output = config_.after_norm() ? SiteRole::kLayerOutput : SiteRole::kFeedForwardBlock;
    bool wanted = (site.role == SiteRole::kEmbeddingOutput && config_.invertible()) ||
                  (site.role == SiteRole::kAttentionBlock && config_.mh_adapter) ||
                  (site.role == output && config_.output_adapter);
    bool left_out = std::find(config_.leave_out.begin(), config_.leave_out.end(),
                              std::to_string(site.layer)) != config_.leave_out.end();
    return site.kind == SiteKind::kHidden && wanted && !left_out;
  }

  static int64_t reduced(int64_t size, double factor) {
    return std::max<int64_t>(1,
                             static_cast<int64_t>(std::floor(static_cast<double>(size) / factor)));
  }

  std::unique_ptr<SiteHook> invertible(const Site& site, ParameterMaker& make) const {
    int64_t first = site.out / 2, last = site.out - first;
    CouplingNetwork f = coupling(site, "F", last, first, make);
    CouplingNetwork g = coupling(site, "G", first, last, make);
    return make_invertible_hook(f, g, parse_activation(config_.non_linearity, "bottleneck"),
                                site.out);
  }

  CouplingNetwork coupling(const Site& site, const std::string& name, int64_t in, int64_t out,
                           ParameterMaker& make) const {
    int64_t size = reduced(in, config_.inv_adapter_reduction_factor);
    auto weight = [&](const char* part, const Shape& shape) -> Parameter& {
      std::string whole = name + part;
      return make.make(site, whole, initial(whole, shape, make.stream(site, whole)));
    };
    auto bias = [&](const char* part, int64_t count) -> Parameter& {
      return make.make(site, name + part, Tensor::zeros({count}, DType::kF32));
    };
    Parameter &down = weight(".0.weight", {size, in}), &down_bias = bias(".0.bias", size);
    return {down, down_bias, weight(".2.weight", {out, size}), bias(".2.bias", out)};
  }

  static void check_layer(const BaseFacts& base, const std::string& layer) {
    bool known = false;
    for (int64_t number = 0; number < base.layers; ++number)
      known = known || std::to_string(number) == layer;
    require(known, ErrorKind::kUsage,
            "bottleneck: leave_out names layer \"{}\"; this base has layers 0 to {}", layer,
            base.layers - 1);
  }

  BottleneckWiring wiring() const {
    BottleneckWiring wiring{.activation = parse_activation(config_.non_linearity, "bottleneck"),
                            .scaling = config_.fixed_scaling().value_or(1),
                            .dropout = config_.dropout,
                            .stochastic_depth = config_.stochastic_depth};
    if (config_.after_norm()) return wiring;  // the layer's output is all there is
    if (config_.is_parallel) wiring.input = BottleneckInput::kBlockInput;
    if (config_.original_ln_before) wiring.input = BottleneckInput::kNormed;
    if (config_.residual_before_ln == "post_add") wiring.residual = BottleneckResidual::kSum;
    bool input = config_.residual_before_ln == "false" && config_.original_ln_before;
    if (input) wiring.residual = BottleneckResidual::kInput;
    return wiring;
  }

  NetworkWeight weight(const Site& site, const std::string& layer, int64_t in, int64_t out,
                       ParameterMaker& make) const {
    if (config_.phm_layer) {
      PhmShape shape{.n = config_.phm_dim,
                     .rank = config_.phm_rank,
                     .rule_std = config_.phm_init_range,
                     .glorot_uniform = config_.hypercomplex_nonlinearity == "glorot-uniform"};
      return make_phm_weight(site, layer, in, out, shape, make);
    }
    std::string part = layer + ".weight";
    return make.make(site, part, initial(part, {out, in}, make.stream(site, part)));
  }

  Parameter& bias(const Site& site, const std::string& layer, int64_t size,
                  ParameterMaker& make) const {
    return make.make(site, layer + (config_.phm_layer ? ".b" : ".bias"),
                     Tensor::zeros({size}, DType::kF32));
  }

  Parameter* scaling(const Site& site, ParameterMaker& make) const {
    if (config_.scaling == kLearnedScaling) return &make.make(site, "scaling", ones(1));
    if (config_.scaling == kChannelScaling) return &make.make(site, "scaling", ones(site.out));
    return nullptr;
  }

  Tensor initial(const std::string& part, const Shape& shape, const Stream& stream) const {
    if (config_.init_weights == "bert") return normal_init(shape, kBertStd, stream);
    if (config_.init_weights == "houlsby") return truncated_normal(shape, kHoulsbyStd, stream);
    bool down = part.find(".0.") != part.npos;
    return down ? kaiming_uniform_init(shape, stream) : Tensor::zeros(shape, DType::kF32);
  }

  BottleneckConfig config_;
};

}  // namespace

std::unique_ptr<Method> make_bottlenecks(std::string preset) {
  return std::make_unique<Bottlenecks>(std::move(preset));
}

}  // namespace inlay
