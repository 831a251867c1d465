// ResNet: He et al. 2015, arXiv:1512.03385; version 1.5 where the 3 x 3 convolution of a bottleneck
// has the stride.
#include <deque>

#include "autograd/ops/add.h"
#include "autograd/ops/map_pooling.h"
#include "models/conv_layer.h"
#include "models/families/limits.h"
#include "models/family.h"
#include "models/image_model.h"

namespace inlay {
namespace {

constexpr int64_t kNarrowing = 4;  // of a bottleneck's inner channels

struct ResNetSizes {
  int64_t embedding = 64;
  std::vector<int64_t> hidden, depths;
  bool bottleneck = true, downsample_first_stage = false, downsample_in_bottleneck = false;
  Activation activation = Activation::kRelu;
};

ConvShape square(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  int64_t edge = kernel / 2;
  return {.in = in,
          .out = out,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .padding = {edge, edge, edge, edge}};
}

class ResNet : public ImageModel {
 public:
  ResNet(const ResNetSizes& sizes, WeightSource& weights)
      : sizes_(sizes), make_(weights, sizes.hidden.back()) {
    stem_ = make_conv_layer(
        make_, "embedder.embedder", -1,
        {.conv = {.shape = square(3, sizes_.embedding, 7, 2)}, .activation = sizes_.activation});
    int64_t in = sizes_.embedding;
    int number = 0;
    for (std::size_t stage = 0; stage < sizes_.depths.size(); ++stage) {
      for (int64_t depth = 0; depth < sizes_.depths[stage]; ++depth) {
        bool reduces = depth == 0 && (stage > 0 || sizes_.downsample_first_stage);
        std::string name =
            "encoder.stages." + std::to_string(stage) + ".layers." + std::to_string(depth);
        blocks_.push_back(make_block(name, number++, in, sizes_.hidden[stage], reduces ? 2 : 1));
        in = sizes_.hidden[stage];
      }
    }
    register_sites();
  }

 protected:
  Variable embed(Context& context, const Variable& pixels) const override {
    Variable x = run(context, *stem_, pixels);
    MapPooling pooling{.kernel = 3, .stride = 2, .padding = 1};
    MapSize map = x.row_space()->map;
    return max_pool(context, x, pooling, context.map_space(x.row_space(), pooling.output(map)));
  }

  Variable run_layer(Context& context, int64_t number, Variable x) const override {
    const Block& block = blocks_[static_cast<std::size_t>(number)];
    Variable y = x;
    for (const ConvLayer& part : block.parts) y = run(context, part, y);
    Variable kept = block.shortcut.has_value() ? run(context, *block.shortcut, x) : x;
    Variable sum = activation(context, inlay::add(context, y, kept), sizes_.activation);
    return hidden_site(context, block.output, std::move(sum));
  }

 private:
  struct Block {
    std::optional<ConvLayer> shortcut;
    std::vector<ConvLayer> parts;
    HiddenSite output;
  };

  ConvLayer layer(const std::string& name, int number, const ConvShape& shape, bool activated) {
    ConvLayerForm form{.conv = {.shape = shape}};
    if (activated) form.activation = sizes_.activation;
    return make_conv_layer(make_, name, number, form);
  }

  Block make_block(const std::string& name, int number, int64_t in, int64_t out, int64_t stride) {
    Block block;
    if (in != out || stride != 1)
      block.shortcut = layer(name + ".shortcut", number, square(in, out, 1, stride), false);
    if (sizes_.bottleneck) {
      int64_t inner = out / kNarrowing;
      bool early = sizes_.downsample_in_bottleneck;
      block.parts.push_back(
          layer(name + ".layer.0", number, square(in, inner, 1, early ? stride : 1), true));
      block.parts.push_back(
          layer(name + ".layer.1", number, square(inner, inner, 3, early ? 1 : stride), true));
      block.parts.push_back(layer(name + ".layer.2", number, square(inner, out, 1, 1), false));
    } else {
      block.parts.push_back(layer(name + ".layer.0", number, square(in, out, 3, stride), true));
      block.parts.push_back(layer(name + ".layer.1", number, square(out, out, 3, 1), false));
    }
    block.output = {{.name = name,
                     .kind = SiteKind::kHidden,
                     .role = SiteRole::kLayerOutput,
                     .layer = number,
                     .in = out,
                     .out = out,
                     .adapterhub = name + ".reft_layer.refts"}};
    return block;
  }

  void register_sites() {
    auto add = [&](ConvLayer& part) {
      add_site(part.conv.site);
      add_site(part.norm.site);
    };
    add(*stem_);
    for (Block& block : blocks_) {
      if (block.shortcut.has_value()) add(*block.shortcut);
      for (ConvLayer& part : block.parts) add(part);
      add_site(block.output.site);
    }
  }

  ResNetSizes sizes_;
  SiteMaker make_;
  std::optional<ConvLayer> stem_;
  std::deque<Block> blocks_;
};

ResNetSizes read_resnet_sizes(const ModelConfig& config) {
  ResNetSizes sizes;
  sizes.embedding = config.integer_or("embedding_size", 64, 1, kMaxChannels);
  sizes.hidden = config.integers_or("hidden_sizes", {256, 512, 1024, 2048}, 1, kMaxChannels);
  sizes.depths = config.integers_or("depths", {3, 4, 6, 3}, 1, 1024);
  require(sizes.hidden.size() == sizes.depths.size() && !sizes.hidden.empty(), ErrorKind::kInput,
          "{}: hidden_sizes has {} numbers and depths {}; expected one of each per stage",
          config.where(), sizes.hidden.size(), sizes.depths.size());
  std::string type = config.text_or("layer_type", "bottleneck");
  require(type == "bottleneck" || type == "basic", ErrorKind::kInput,
          "{}: layer_type is \"{}\"; expected bottleneck or basic", config.where(), type);
  sizes.bottleneck = type == "bottleneck";
  sizes.downsample_first_stage = config.boolean_or("downsample_in_first_stage", false);
  sizes.downsample_in_bottleneck = config.boolean_or("downsample_in_bottleneck", false);
  sizes.activation = parse_activation(config.text_or("hidden_act", "relu"), config.where());
  return sizes;
}

void describe_resnet(const ModelConfig& config, BaseFacts& facts) {
  ResNetSizes sizes = read_resnet_sizes(config);
  require(config.integer_or("num_channels", 3, 1, 1024) == 3, ErrorKind::kInput,
          "{}: num_channels is {}; images have 3", config.where(),
          config.integer_or("num_channels", 3, 1, 1024));
  facts.prefix = "resnet.";
  facts.bare_class = "ResNetModel";
  facts.hidden = sizes.hidden.back();
  for (int64_t depth : sizes.depths) facts.layers += depth;
  facts.images = true;
  facts.max_tokens = 4096;
  facts.sequence_head = {
      .input = HeadInput::kMean, .dropout_first = false, .output = "classifier.1"};
}

std::unique_ptr<Model> build_resnet(const ModelConfig& config, const BaseFacts&, const ModelParts&,
                                    WeightSource& weights) {
  return std::make_unique<ResNet>(read_resnet_sizes(config), weights);
}

}  // namespace

const Family& family_resnet() {
  static const Family family{
      .name = "resnet",
      .model_types = {"resnet"},
      .summary = "Convolutional network with residual connections, for images.",
      .citation = "arXiv:1512.03385",
      .describe = describe_resnet,
      .build = build_resnet,
      .head_tensors = {"classifier."},
      .buffers = {".num_batches_tracked"}};
  return family;
}

}  // namespace inlay
