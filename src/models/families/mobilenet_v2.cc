// MobileNetV2: Sandler et al. 2018, arXiv:1801.04381: inverted residuals, which expand the
// channels, filter each by itself and project them back without an activation.
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "autograd/ops/add.h"
#include "models/conv_layer.h"
#include "models/families/limits.h"
#include "models/family.h"
#include "models/image_model.h"

namespace inlay {
namespace {

constexpr int kLayers = 16;

// Table 2 of the paper, block by block after the stem: channels and strides.
constexpr std::array<int64_t, kLayers + 1> kChannels = {16, 24, 24, 32, 32,  32,  64,  64, 64,
                                                        64, 96, 96, 96, 160, 160, 160, 320};
constexpr std::array<int64_t, kLayers> kStrides = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
constexpr int64_t kStemChannels = 32, kLastChannels = 1280;

struct MobileNetV2Sizes {
  double multiplier = 1, expand_ratio = 6, eps = 1e-3;
  int64_t divisor = 8, least = 8, output_stride = 32;
  bool first_is_expansion = true, finegrained = true, same = true;
  Activation activation = Activation::kRelu6;
};

// The nearest multiple of `divisor`, not below 9/10 of the value, nor below `least`.
int64_t divisible(double value, int64_t divisor, int64_t least) {
  auto half = static_cast<double>(divisor) / 2;
  int64_t rounded = std::max(least, static_cast<int64_t>(value + half) / divisor * divisor);
  return static_cast<double>(rounded) < 0.9 * value ? rounded + divisor : rounded;
}

int64_t scaled(const MobileNetV2Sizes& sizes, int64_t channels) {
  return divisible(std::nearbyint(static_cast<double>(channels) * sizes.multiplier), sizes.divisor,
                   sizes.least);
}

class MobileNetV2 : public ImageModel {
 public:
  MobileNetV2(const MobileNetV2Sizes& sizes, int64_t hidden, WeightSource& weights)
      : sizes_(sizes), make_(weights, hidden) {
    make_stem();
    make_blocks();
    last_ = layer("conv_1x1", -1, {.in = scaled(sizes_, kChannels.back()), .out = hidden}, true);
    register_sites();
  }

 protected:
  Variable embed(Context& context, const Variable& pixels) const override {
    Variable x = pixels;
    for (const ConvLayer& part : stem_) x = run(context, part, x);
    return x;
  }

  Variable run_layer(Context& context, int64_t number, Variable x) const override {
    const Block& block = blocks_[static_cast<std::size_t>(number)];
    Variable y = x;
    for (const ConvLayer& part : block.parts) y = run(context, part, y);
    if (block.residual) y = add(context, y, x);
    return hidden_site(context, block.output, std::move(y));
  }

  Variable finish(Context& context, Variable x) const override { return run(context, *last_, x); }

 private:
  struct Block {
    std::vector<ConvLayer> parts;
    HiddenSite output;
    bool residual;
  };

  // A layer of the network's own padding.
  ConvLayer layer(const std::string& name, int number, ConvShape shape, bool activated) {
    int64_t edge = (shape.kernel_height - 1) / 2 * shape.dilation_height;
    if (!sizes_.same) shape.padding = {edge, edge, edge, edge};
    ConvLayerForm form{.conv = {.shape = shape, .same = sizes_.same}, .eps = sizes_.eps};
    if (activated) form.activation = sizes_.activation;
    return make_conv_layer(make_, name, number, form);
  }

  static ConvShape square(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                          int64_t dilation = 1, int64_t groups = 1) {
    return {.in = in,
            .out = out,
            .kernel_height = kernel,
            .kernel_width = kernel,
            .stride_height = stride,
            .stride_width = stride,
            .dilation_height = dilation,
            .dilation_width = dilation,
            .groups = groups};
  }

  int64_t expanded(int64_t channels) const {
    return divisible(std::nearbyint(static_cast<double>(channels) * sizes_.expand_ratio),
                     sizes_.divisor, sizes_.least);
  }

  void make_stem() {
    int64_t wide = scaled(sizes_, kStemChannels), first = scaled(sizes_, kChannels[0]);
    int64_t inner = sizes_.first_is_expansion ? wide : expanded(wide);
    stem_.push_back(layer("conv_stem.first_conv", -1, square(3, wide, 3, 2), true));
    if (!sizes_.first_is_expansion)
      stem_.push_back(layer("conv_stem.expand_1x1", -1, square(wide, inner, 1, 1), true));
    stem_.push_back(layer("conv_stem.conv_3x3", -1, square(inner, inner, 3, 1, 1, inner), true));
    stem_.push_back(layer("conv_stem.reduce_1x1", -1, square(inner, first, 1, 1), false));
  }

  // Where the map is as small as it may become, dilation stands in for strides.
  void make_blocks() {
    int64_t stride_so_far = 2, dilation = 1;
    for (int number = 0; number < kLayers; ++number) {
      auto at = static_cast<std::size_t>(number);
      int64_t in = scaled(sizes_, kChannels.at(at)), out = scaled(sizes_, kChannels.at(at + 1));
      int64_t stride = kStrides.at(at), inner = expanded(in), own_dilation = dilation;
      if (stride_so_far == sizes_.output_stride) {
        dilation *= stride;
        stride = 1;
      } else {
        stride_so_far *= stride;
      }
      std::string name = layer_prefix("layer.{}.", number);
      Block block;
      block.parts.reserve(3);
      block.parts.push_back(layer(name + "expand_1x1", number, square(in, inner, 1, 1), true));
      block.parts.push_back(layer(name + "conv_3x3", number,
                                  square(inner, inner, 3, stride, own_dilation, inner), true));
      block.parts.push_back(layer(name + "reduce_1x1", number, square(inner, out, 1, 1), false));
      block.output = map_site("layer." + std::to_string(number), number, out);
      block.residual = stride == 1 && in == out;
      blocks_.push_back(std::move(block));
    }
  }

  static HiddenSite map_site(const std::string& name, int number, int64_t channels) {
    return {{.name = name,
             .kind = SiteKind::kHidden,
             .role = SiteRole::kLayerOutput,
             .layer = number,
             .in = channels,
             .out = channels,
             .adapterhub = name + ".reft_layer.refts"}};
  }

  void register_sites() {
    auto add = [&](ConvLayer& part) {
      add_site(part.conv.site);
      add_site(part.norm.site);
    };
    for (ConvLayer& part : stem_) add(part);
    for (Block& block : blocks_) {
      for (ConvLayer& part : block.parts) add(part);
      add_site(block.output.site);
    }
    add(*last_);
  }

  MobileNetV2Sizes sizes_;
  SiteMaker make_;
  std::vector<ConvLayer> stem_;
  std::deque<Block> blocks_;
  std::optional<ConvLayer> last_;
};

MobileNetV2Sizes read_mobilenet_v2_sizes(const ModelConfig& config) {
  MobileNetV2Sizes sizes{
      .multiplier = config.number_or("depth_multiplier", 1, 0.01, 16),
      .expand_ratio = config.number_or("expand_ratio", 6, 1, 64),
      .eps = config.number_or("layer_norm_eps", 1e-3, 0, 1),
      .divisor = config.integer_or("depth_divisible_by", 8, 1, 1024),
      .least = config.integer_or("min_depth", 8, 1, 1024),
      .output_stride = config.integer_or("output_stride", 32, 8, 32),
      .first_is_expansion = config.boolean_or("first_layer_is_expansion", true),
      .finegrained = config.boolean_or("finegrained_output", true),
      .same = config.boolean_or("tf_padding", true),
      .activation = parse_activation(config.text_or("hidden_act", "relu6"), config.where())};
  return sizes;
}

int64_t hidden_of(const MobileNetV2Sizes& sizes) {
  bool whole = sizes.finegrained && sizes.multiplier < 1;
  return whole ? kLastChannels : scaled(sizes, kLastChannels);
}

void describe_mobilenet_v2(const ModelConfig& config, BaseFacts& facts) {
  require(config.integer_or("num_channels", 3, 1, 1024) == 3, ErrorKind::kInput,
          "{}: num_channels is {}; images have 3", config.where(),
          config.integer_or("num_channels", 3, 1, 1024));
  facts.prefix = "mobilenet_v2.";
  facts.bare_class = "MobileNetV2Model";
  facts.hidden = hidden_of(read_mobilenet_v2_sizes(config));
  facts.layers = kLayers;
  facts.images = true;
  facts.max_tokens = kMaxSide;
  facts.sequence_head = {.input = HeadInput::kMean, .output = "classifier"};
}

std::unique_ptr<Model> build_mobilenet_v2(const ModelConfig& config, const BaseFacts& facts,
                                          const ModelParts&, WeightSource& weights) {
  return std::make_unique<MobileNetV2>(read_mobilenet_v2_sizes(config), facts.hidden, weights);
}

}  // namespace

const Family& family_mobilenet_v2() {
  static const Family family{.name = "mobilenet_v2",
                             .model_types = {"mobilenet_v2"},
                             .summary = "Convolutional network of inverted residuals, for images.",
                             .citation = "arXiv:1801.04381",
                             .describe = describe_mobilenet_v2,
                             .build = build_mobilenet_v2,
                             .head_tensors = {"classifier."},
                             .buffers = {".num_batches_tracked"}};
  return family;
}

}  // namespace inlay
