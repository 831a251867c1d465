// Bottleneck adapters: a small network beside each block of a layer, with AdapterHub's presets.
//   z = s (W_up f(W_down u + b_down) + b_up), added to the block's output h before h joins the
//   residual x: houlsby   u = h, after attention and feed-forward part     Houlsby et al. 2019,
//   arXiv:1902.00751 pfeiffer  u = LN(h + x), after the feed-forward part       Pfeiffer et al.
//   2020, arXiv:2005.00247 parallel  u = what the block read, with s = 4 or learned   He et al.
//   2021, arXiv:2110.04366
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "adapters/method.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/scale.h"
#include "nn/initializers.h"
#include "nn/modules.h"

namespace inlay {
namespace {

constexpr const char* kLearned = "learned";
constexpr float kBertStd = 0.02f;
constexpr float kHoulsbyStd = 0.01f;  // cut at two standard deviations
constexpr double kSmallestFactor = 1.0 / 16;

// The tensors of one bottleneck, under AdapterHub's names.
struct Bottleneck {
  Parameter& down_weight;
  Parameter& down_bias;
  Parameter& up_weight;
  Parameter& up_bias;
  Parameter* scaling = nullptr;  // where it is learned
};

struct Wiring {
  Activation activation = Activation::kRelu;
  bool parallel = false;
  bool norm_first = false;
  double scaling = 1;
  double dropout = 0;
};

class BottleneckHook : public SiteHook {
 public:
  BottleneckHook(const Bottleneck& tensors, const Wiring& wiring, std::string stream)
      : tensors_(tensors), wiring_(wiring), stream_(std::move(stream)) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    LinearWeights down{.weight = &tensors_.down_weight, .bias = &tensors_.down_bias};
    LinearWeights up{.weight = &tensors_.up_weight, .bias = &tensors_.up_bias};
    Variable z = inlay::linear(context, input(context, block), down, Precision::kCompute);
    z = inlay::linear(context, activation(context, z, wiring_.activation), up, Precision::kFull);
    if (tensors_.scaling != nullptr) {
      z = scale(context, z, *tensors_.scaling);
    } else if (wiring_.scaling != 1) {
      z = scale(context, z, wiring_.scaling);
    }
    return dropout(context, z, wiring_.dropout, stream_);
  }

 private:
  // The block's own norm is applied twice: here as the base holds it, and after the addition by the
  // block.
  Variable input(Context& context, const HiddenBlock& block) const {
    if (wiring_.parallel) return block.input;
    if (!wiring_.norm_first) return block.output;
    const NormSite& norm = *block.norm;
    return layer_norm(context, block.output, block.residual,
                      {.gamma = norm.gamma, .beta = norm.beta, .eps = norm.eps});
  }

  Bottleneck tensors_;
  Wiring wiring_;
  std::string stream_;
};

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

class Bottlenecks : public Method {
 public:
  Bottlenecks() { apply_preset(); }

  // The preset comes first: it sets what the settings after it then change.
  void fields(FieldVisitor& visit) override {
    visit.choice("preset", preset_, {"pfeiffer", "houlsby", "parallel", "scaled_parallel"},
                 "what the settings below start from");
    if (preset_ != applied_) apply_preset();
    visit("reduction_factor", reduction_factor_, "hidden size divided by the bottleneck's size");
    visit("non_linearity", non_linearity_, "activation in the bottleneck, by Hugging Face's names");
    visit("mh_adapter", mh_adapter_, "adapt the output of attention");
    visit("output_adapter", output_adapter_, "adapt the output of the feed-forward part");
    visit("is_parallel", is_parallel_, "read what the block reads rather than what it gives");
    visit("original_ln_before", original_ln_before_,
          "apply the block's norm before the bottleneck, too");
    visit("scaling", scaling_, "factor of the bottleneck's output: a number, or learned");
    visit.choice("init_weights", init_weights_, {"bert", "mam_adapter", "houlsby"},
                 "initial values; mam_adapter starts as the unchanged base");
    visit("dropout", dropout_,
          "probability of dropping an output of the bottleneck while training");
    visit("leave_out", leave_out_, "numbers of layers without a bottleneck");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    check();
    std::vector<const Site*> sites;
    for (const std::string& layer : leave_out_) check_layer(base, layer);
    for (const Site* site : base.sites) {
      bool wanted = (site->role == SiteRole::kAttentionBlock && mh_adapter_) ||
                    (site->role == SiteRole::kFeedForwardBlock && output_adapter_);
      bool left_out = std::find(leave_out_.begin(), leave_out_.end(),
                                std::to_string(site->layer)) != leave_out_.end();
      if (site->kind == SiteKind::kHidden && wanted && !left_out) sites.push_back(site);
    }
    require(!sites.empty(), ErrorKind::kUsage,
            "bottleneck: no place is left; set mh_adapter or output_adapter, and leave fewer "
            "layers out");
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t size = std::max<int64_t>(
        1, static_cast<int64_t>(std::floor(static_cast<double>(site.out) / reduction_factor_)));
    Bottleneck tensors{make.make(site, "adapter_down.0.weight",
                                 initial(site, make, "adapter_down.0.weight", {size, site.out})),
                       make.make(site, "adapter_down.0.bias", Tensor::zeros({size}, DType::kF32)),
                       make.make(site, "adapter_up.weight",
                                 initial(site, make, "adapter_up.weight", {site.out, size})),
                       make.make(site, "adapter_up.bias", Tensor::zeros({site.out}, DType::kF32))};
    Wiring wiring{parse_activation(non_linearity_, "bottleneck"), is_parallel_, original_ln_before_,
                  fixed_scaling().value_or(1), dropout_};
    if (scaling_ == kLearned) {
      float one = 1;
      tensors.scaling = &make.make(site, "scaling", Tensor::of<float>({1}, {&one, 1}));
    }
    return std::make_unique<BottleneckHook>(tensors, wiring, "dropout/bottleneck/" + site.name);
  }

  bool identity_at_start() const override { return init_weights_ == "mam_adapter"; }

 private:
  // AdapterHub's seq_bn, double_seq_bn, par_bn and scaled_par_bn.
  void apply_preset() {
    bool parallel = preset_ == "parallel" || preset_ == "scaled_parallel";
    applied_ = preset_;
    reduction_factor_ = parallel ? 2 : 16;
    non_linearity_ = preset_ == "houlsby" ? "swish" : "relu";
    mh_adapter_ = preset_ == "houlsby";
    output_adapter_ = true;
    is_parallel_ = parallel;
    original_ln_before_ = preset_ == "pfeiffer";
    scaling_ = preset_ == "parallel" ? "4" : preset_ == "scaled_parallel" ? kLearned : "1";
    init_weights_ = parallel ? "mam_adapter" : "bert";
  }

  void check() const {
    require(reduction_factor_ >= kSmallestFactor, ErrorKind::kUsage,
            "bottleneck: reduction_factor is {}; expected {} or more", reduction_factor_,
            kSmallestFactor);
    require(dropout_ >= 0 && dropout_ < 1, ErrorKind::kUsage,
            "bottleneck: dropout is {}; expected 0 or more and below 1", dropout_);
    require(scaling_ == kLearned || fixed_scaling().has_value(), ErrorKind::kUsage,
            "bottleneck: scaling is \"{}\"; expected a number or learned", scaling_);
    require(fixed_scaling().value_or(1) != 0, ErrorKind::kUsage,
            "bottleneck: scaling is 0, so that the adapter would have no effect; expected another "
            "number");
    require(!is_parallel_ || !original_ln_before_, ErrorKind::kUsage,
            "bottleneck: original_ln_before has no meaning where is_parallel is true; set one of "
            "them to false");
    parse_activation(non_linearity_, "bottleneck");
  }

  static void check_layer(const BaseFacts& base, const std::string& layer) {
    bool known = false;
    for (int64_t number = 0; number < base.layers; ++number)
      known = known || std::to_string(number) == layer;
    require(known, ErrorKind::kUsage,
            "bottleneck: leave_out names layer \"{}\"; this base has layers 0 to {}", layer,
            base.layers - 1);
  }

  std::optional<double> fixed_scaling() const {
    double value = 0;
    const char* end = scaling_.data() + scaling_.size();
    auto [last, error] = std::from_chars(scaling_.data(), end, value);
    if (error != std::errc() || last != end || !std::isfinite(value)) return std::nullopt;
    return value;
  }

  Tensor initial(const Site& site, const ParameterMaker& make, const std::string& part,
                 const Shape& shape) const {
    Stream stream = make.stream(site, part);
    if (init_weights_ == "bert") return normal_init(shape, kBertStd, stream);
    if (init_weights_ == "houlsby") return truncated_normal(shape, kHoulsbyStd, stream);
    bool down = part.starts_with("adapter_down");
    return down ? kaiming_uniform_init(shape, stream) : Tensor::zeros(shape, DType::kF32);
  }

  std::string preset_ = "pfeiffer", applied_;
  double reduction_factor_ = 16;
  std::string non_linearity_;
  bool mh_adapter_ = false, output_adapter_ = true, is_parallel_ = false,
       original_ln_before_ = false;
  std::string scaling_, init_weights_;
  double dropout_ = 0;
  std::vector<std::string> leave_out_;
};

}  // namespace

const MethodInfo& method_bottleneck() {
  static const MethodInfo info{
      .name = "bottleneck",
      .summary = "Adds a small network after, or beside, each block of a layer.",
      .citation = "arXiv:1902.00751, arXiv:2005.00247, arXiv:2110.04366",
      .example = "bottleneck[preset=pfeiffer,reduction_factor=16]",
      .format = AdapterFormat::kAdapterHub,
      .learning_rate = 1e-3,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Bottlenecks>(); }};
  return info;
}

}  // namespace inlay
