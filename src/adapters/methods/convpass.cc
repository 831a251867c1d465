// Convpass: Jie and Deng 2022, arXiv:2207.07039: beside attention and beside the feed-forward part,
// a bottleneck in which patches see their neighbours:
//   s W_up f(K * f(W_down u + b_down) + b) + s b_up,  f(x) = x sigmoid(1.702 x)
// u is what the block reads, after its norm; K has 3 x 3 taps and looks at a class token as at an
// image of one place. As in the authors' code K starts as the identity, W_up at zero.
#include <cmath>

#include "adapters/block_sites.h"
#include "adapters/map_rows.h"
#include "adapters/method.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/scale.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr int64_t kWidest = 1024;
constexpr int64_t kTaps = 3, kMiddle = kTaps * kTaps / 2;

struct ConvpassNetwork {
  Parameter& down;  // (dim, channels)
  Parameter& down_bias;
  Parameter& filters;  // (dim, dim, 3, 3)
  Parameter& filters_bias;
  Parameter& up;  // (channels, dim)
  Parameter& up_bias;
};

class ConvpassHook : public SiteHook {
 public:
  ConvpassHook(const ConvpassNetwork& network, double scale, double dropout,
               const std::string& site_name)
      : network_(network),
        scale_(scale),
        dropout_(dropout),
        stream_("dropout/convpass/" + site_name) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    LinearWeights down{.weight = &network_.down, .bias = &network_.down_bias};
    LinearWeights up{.weight = &network_.up, .bias = &network_.up_bias};
    Variable z = inlay::linear(context, block.input, down, Precision::kCompute);
    z = activation(context, z, Activation::kQuickGelu);
    z = over_maps(context, z, [&](const Variable& maps) { return filtered(context, maps); });
    z = activation(context, z, Activation::kQuickGelu);
    z = inlay::linear(context, dropout(context, z, dropout_, stream_), up, Precision::kFull);
    return scale_ == 1 ? z : scale(context, z, scale_);
  }

 private:
  Variable filtered(Context& context, const Variable& maps) const {
    ConvShape shape{.in = maps.channels(),
                    .out = maps.channels(),
                    .kernel_height = kTaps,
                    .kernel_width = kTaps,
                    .padding = {1, 1, 1, 1}};
    return inlay::conv(context, maps, shape,
                       {.weight = &network_.filters, .bias = &network_.filters_bias},
                       maps.row_space(), Precision::kCompute);
  }

  ConvpassNetwork network_;
  double scale_, dropout_;
  std::string stream_;
};

class Convpass : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("dim", dim_, "channels of the bottleneck");
    visit("scale", scale_, "factor of what it gives");
    visit("dropout", dropout_, "probability of dropping a channel of it while training");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(dim_ >= 1 && dim_ <= kWidest, ErrorKind::kUsage,
            "convpass: dim is {}; expected 1 to {}", dim_, kWidest);
    require(std::isfinite(scale_) && scale_ != 0, ErrorKind::kUsage,
            "convpass: scale is {}, so that nothing would be learned; expected another number, "
            "such as 1",
            scale_);
    check_probability("convpass: dropout", dropout_);
    require_images(base, "convpass", "adaptformer");
    return block_sites(base, {SiteRole::kAttentionBlock, SiteRole::kFeedForwardBlock}, "convpass");
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    auto zeros = [&](const char* part, const Shape& shape) -> Parameter& {
      return make.make(site, part, Tensor::zeros(shape, DType::kF32));
    };
    const char* down = "convpass.down.weight";
    // Glorot's bound, as in the authors' code.
    float bound = std::sqrt(6.0f / static_cast<float>(dim_ + site.out));
    Tensor start = uniform_init({dim_, site.out}, bound, make.stream(site, down));
    return std::make_unique<ConvpassHook>(
        ConvpassNetwork{
            make.make(site, down, std::move(start)), zeros("convpass.down.bias", {dim_}),
            make.make(site, "convpass.conv.weight", identity_filters()),
            zeros("convpass.conv.bias", {dim_}), zeros("convpass.up.weight", {site.out, dim_}),
            zeros("convpass.up.bias", {site.out})},
        scale_, dropout_, site.name);
  }

 private:
  Tensor identity_filters() const {
    Tensor filters = Tensor::zeros({dim_, dim_, kTaps, kTaps}, DType::kF32);
    for (int64_t c = 0; c < dim_; ++c)
      filters.mutable_data<float>()[(c * dim_ + c) * kTaps * kTaps + kMiddle] = 1;
    return filters;
  }

  int64_t dim_ = 8;
  double scale_ = 1, dropout_ = 0.1;
};

}  // namespace

const MethodInfo& method_convpass() {
  static const MethodInfo info{
      .name = "convpass",
      .summary = "Adds a small convolution of patches beside each block of a layer.",
      .citation = "arXiv:2207.07039",
      .example = "convpass[dim=8]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Convpass>(); }};
  return info;
}

}  // namespace inlay
