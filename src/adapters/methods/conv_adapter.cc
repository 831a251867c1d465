// Conv-Adapter: Chen et al. 2022, arXiv:2208.07463, in its form parallel to a convolution: filters
// of the base's size, each reading gamma channels, an activation, 1 x 1 to the base's channels, and
// a learned factor a channel; added before the batch norm. The 1 x 1 starts at zero, so that a
// fresh adapter is the identity, which the paper's is not.
#include <algorithm>

#include "adapters/method.h"
#include "adapters/targets.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/scale_channels.h"
#include "nn/initializers.h"
#include "nn/modules.h"

namespace inlay {
namespace {

struct ConvAdapterNetwork {
  Parameter& down;       // (channels / gamma, gamma, height, width)
  Parameter& down_bias;  // (channels / gamma)
  Parameter& up;         // (out, channels / gamma, 1, 1)
  Parameter& up_bias;    // (out)
  Parameter& scale;      // (out)
  Activation activation;
};

class ConvAdapterHook : public SiteHook {
 public:
  explicit ConvAdapterHook(const ConvAdapterNetwork& network) : network_(network) {}

  Variable conv(Context& context, const ConvSite& module, const Variable& x, Variable y) override {
    ConvShape down = shape_over(module, x.row_space()->map);
    int64_t narrow = network_.down.shape()[0];
    down.out = down.groups = narrow;
    Variable z =
        inlay::conv(context, x, down, {.weight = &network_.down, .bias = &network_.down_bias},
                    y.row_space(), Precision::kCompute);
    z = activation(context, z, network_.activation);
    ConvShape up{.in = narrow, .out = network_.up.shape()[0]};
    z = inlay::conv(context, z, up, {.weight = &network_.up, .bias = &network_.up_bias},
                    y.row_space(), Precision::kFull);
    return add(context, y, scale_channels(context, z, network_.scale));
  }

 private:
  ConvAdapterNetwork network_;
};

class ConvAdapter : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("gamma", gamma_, "channels that a filter reads: the network has so many times fewer");
    visit.choice("non_linearity", non_linearity_, {"relu", "gelu", "silu"},
                 "the activation between the convolutions");
    visit("target_modules", targets_.target_modules,
          "names (suffixes) of convolutions, or a pattern; empty: all larger than 1 x 1");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(gamma_ >= 1, ErrorKind::kUsage, "conv_adapter: gamma is {}; expected 1 or more",
            gamma_);
    TargetRules rules = targets_;
    if (rules.target_modules.empty()) {
      for (const Site* site : base.sites) {
        bool large = site->conv.kernel_height > 1 || site->conv.kernel_width > 1;
        bool fits = site->kind == SiteKind::kConv && site->in % gamma_ == 0;
        if (large && fits && site->role != SiteRole::kPatchEmbedding)
          rules.target_modules.push_back(site->name);
      }
    }
    std::vector<const Site*> sites = select_targets(base, {SiteKind::kConv}, rules);
    for (const Site* site : sites) {
      require(site->in % gamma_ == 0, ErrorKind::kUsage,
              "conv_adapter: gamma {} does not divide the {} channels of {}", gamma_, site->in,
              site->name);
    }
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int64_t narrow = site.in / gamma_;
    int64_t height = site.conv.kernel_height, width = site.conv.kernel_width;
    Tensor start = kaiming_uniform_init({narrow, gamma_ * height * width},
                                        make.stream(site, "conv_adapter.down.weight"));
    return std::make_unique<ConvAdapterHook>(ConvAdapterNetwork{
        make.make(site, "conv_adapter.down.weight",
                  start.reshaped({narrow, gamma_, height, width})),
        make.make(site, "conv_adapter.down.bias", Tensor::zeros({narrow}, DType::kF32)),
        make.make(site, "conv_adapter.up.weight",
                  Tensor::zeros({site.out, narrow, 1, 1}, DType::kF32)),
        make.make(site, "conv_adapter.up.bias", Tensor::zeros({site.out}, DType::kF32)),
        make.make(site, "conv_adapter.scale", ones(site.out)),
        parse_activation(non_linearity_, "conv_adapter: non_linearity")});
  }

 private:
  static Tensor ones(int64_t count) {
    Tensor tensor = Tensor::empty({count}, DType::kF32);
    std::fill_n(tensor.mutable_data<float>(), count, 1.0f);
    return tensor;
  }

  int64_t gamma_ = 4;
  std::string non_linearity_ = "relu";
  TargetRules targets_;
};

}  // namespace

const MethodInfo& method_conv_adapter() {
  static const MethodInfo info{
      .name = "conv_adapter",
      .summary = "Adds a small network of two convolutions beside convolutions.",
      .citation = "arXiv:2208.07463",
      .example = "conv_adapter[gamma=4]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<ConvAdapter>(); }};
  return info;
}

}  // namespace inlay
