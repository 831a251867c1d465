// ConvNeXt: Liu et al. 2022, arXiv:2201.03545: blocks of a depthwise 7 x 7 convolution, a norm of
// channels and a feed-forward part at every place; between stages a convolution halves the map.
#include <deque>
#include <numeric>
#include <optional>
#include <utility>

#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/pooling.h"
#include "models/families/limits.h"
#include "models/family.h"
#include "models/image_model.h"
#include "models/layer_scale.h"
#include "nn/recomputed.h"

namespace inlay {
namespace {

constexpr int64_t kKernel = 7, kHalving = 2, kWidening = 4;
constexpr double kInnerEps = 1e-6;  // of all norms but the last, whatever the configuration says

struct ConvNextSizes {
  int64_t patch = 4;
  std::vector<int64_t> hidden, depths;
  double eps = 1e-12;
  bool scales = true;
  Activation activation = Activation::kGelu;
};

// Windows side by side.
ConvForm patches(int64_t in, int64_t out, int64_t side) {
  return {.shape = {.in = in,
                    .out = out,
                    .kernel_height = side,
                    .kernel_width = side,
                    .stride_height = side,
                    .stride_width = side},
          .bias = true};
}

ConvForm depthwise(int64_t channels) {
  int64_t edge = kKernel / 2;
  return {.shape = {.in = channels,
                    .out = channels,
                    .kernel_height = kKernel,
                    .kernel_width = kKernel,
                    .groups = channels,
                    .padding = {edge, edge, edge, edge}},
          .bias = true};
}

class ConvNext : public ImageModel {
 public:
  ConvNext(const ConvNextSizes& sizes, WeightSource& weights)
      : sizes_(sizes), stem_(make_stem(sizes, weights)) {
    int number = 0;
    for (std::size_t s = 0; s < sizes.depths.size(); ++s) {
      SiteMaker make(weights, sizes.hidden[s]);
      std::string at = "encoder.stages." + std::to_string(s);
      std::optional<Patches> halving;
      if (s > 0) halving = make_halving(make, at, number, sizes.hidden[s - 1]);
      for (int64_t depth = 0; depth < sizes.depths[s]; ++depth) {
        layers_.push_back(make_layer(make, at + ".layers." + std::to_string(depth), number++));
        if (depth == 0) layers_.back().halving = std::move(halving);
      }
    }
    int64_t last = sizes.hidden.back();
    norm_ = SiteMaker(weights, last).norm("layernorm", -1, last, {.eps = sizes.eps});
    norm_.site.role = SiteRole::kPooler;
    register_sites();
  }

  // The norm of the mean over the last map.
  bool has_pooler() const override { return true; }
  Variable pooled(Context& context, const Variable& hidden,
                  const TokenBatch& batch) const override {
    Variable mean = pooling(context, hidden, Pooling::kMean, &batch.examples);
    return norm_site(context, norm_, mean, Variable());
  }

 protected:
  Variable embed(Context& context, const Variable& pixels) const override {
    Variable x = conv_site(context, stem_.patches, pixels, Precision::kFull);
    return norm_site(context, stem_.norm, x, Variable());
  }

  Variable run_layer(Context& context, int64_t number, Variable x) const override {
    const Layer& layer = layers_[static_cast<std::size_t>(number)];
    if (layer.halving.has_value()) {
      x = norm_site(context, layer.halving->norm, x, Variable());
      x = conv_site(context, layer.halving->patches, x, Precision::kFull);
    }
    return recomputed(context, x, [this, &context, &layer](const Variable& inner) {
      return run_layer(context, layer, inner);
    });
  }

 private:
  // In the stem the norm follows, in a halving it comes first.
  struct Patches {
    ConvSite patches;
    NormSite norm;
  };
  struct Layer {
    ConvSite filter;
    NormSite norm;
    LinearSite up, down;
    std::optional<LayerScale> scale;
    HiddenSite feed_forward_block, whole;
    std::optional<Patches> halving;  // before the first layer of a stage
  };

  static Patches make_stem(const ConvNextSizes& sizes, WeightSource& weights) {
    int64_t out = sizes.hidden.front();
    SiteMaker make(weights, out);
    return {make.conv("embeddings.patch_embeddings", SiteRole::kPatchEmbedding, -1,
                      patches(3, out, sizes.patch)),
            make.norm("embeddings.layernorm", -1, out, {.eps = kInnerEps})};
  }

  // `number` of the layer that follows, with which it is trained.
  static Patches make_halving(SiteMaker& make, const std::string& stage, int number, int64_t in) {
    std::string at = stage + ".downsampling_layer.";
    int64_t out = make.hidden_size();
    return {make.conv(at + "1", SiteRole::kOther, number, patches(in, out, kHalving)),
            make.norm(at + "0", number, in, {.eps = kInnerEps})};
  }

  Layer make_layer(SiteMaker& make, const std::string& name, int number) const {
    std::string at = name + ".";
    int64_t size = make.hidden_size(), wide = kWidening * size;
    Layer layer{
        make.conv(at + "dwconv", SiteRole::kDepthwise, number, depthwise(size)),
        make.norm(at + "layernorm", number, size, {.eps = kInnerEps}),
        make.linear(at + "pwconv1", SiteRole::kUp, number, {.in = size, .out = wide}),
        make.linear(at + "pwconv2", SiteRole::kDown, number, {.in = wide, .out = size}),
        std::nullopt,
        make.hidden(at + "feed_forward", at + "adapters", SiteRole::kFeedForwardBlock, number),
        make.hidden(name, at + "reft_layer.refts", SiteRole::kLayerOutput, number),
        std::nullopt};
    if (sizes_.scales)
      layer.scale = make_layer_scale(make, at + "layer_scale_parameter", number, size);
    return layer;
  }

  void register_sites() {
    add_site(stem_.patches.site);
    add_site(stem_.norm.site);
    for (Layer& layer : layers_) {
      if (layer.halving.has_value()) {
        add_site(layer.halving->norm.site);
        add_site(layer.halving->patches.site);
      }
      add_site(layer.filter.site);
      add_site(layer.norm.site);
      add_site(layer.up.site);
      add_site(layer.down.site);
      if (layer.scale.has_value()) add_site(layer.scale->site);
      add_site(layer.feed_forward_block.site);
      add_site(layer.whole.site);
    }
    add_site(norm_.site);
  }

  Variable run_layer(Context& context, const Layer& layer, const Variable& x) const {
    Variable read = norm_site(context, layer.norm,
                              conv_site(context, layer.filter, x, Precision::kFull), Variable());
    Variable wide = activation(context, linear_site(context, layer.up, read, Precision::kCompute),
                               sizes_.activation);
    Variable output = linear_site(context, layer.down, wide, Precision::kFull);
    wide = Variable();
    if (layer.scale.has_value()) output = scaled(context, *layer.scale, output);
    output = hidden_site(context, layer.feed_forward_block, read, std::move(output), x);
    return hidden_site(context, layer.whole, add(context, output, x));
  }

  ConvNextSizes sizes_;
  Patches stem_;
  std::deque<Layer> layers_;
  NormSite norm_;
};

ConvNextSizes read_convnext_sizes(const ModelConfig& config) {
  ConvNextSizes sizes;
  sizes.patch = config.integer_or("patch_size", 4, 1, 1024);
  sizes.hidden = config.integers_or("hidden_sizes", {96, 192, 384, 768}, 1, kMaxChannels);
  sizes.depths = config.integers_or("depths", {3, 3, 9, 3}, 1, 1024);
  require(sizes.hidden.size() == sizes.depths.size() && !sizes.hidden.empty(), ErrorKind::kInput,
          "{}: hidden_sizes has {} numbers and depths {}; expected one of each per stage",
          config.where(), sizes.hidden.size(), sizes.depths.size());
  sizes.eps = config.number_or("layer_norm_eps", 1e-12, 0, 1);
  sizes.scales = config.number_or("layer_scale_init_value", 1e-6, -1, 1e6) > 0;
  sizes.activation = parse_activation(config.text_or("hidden_act", "gelu"), config.where());
  return sizes;
}

void describe_convnext(const ModelConfig& config, BaseFacts& facts) {
  require(config.integer_or("num_channels", 3, 1, 1024) == 3, ErrorKind::kInput,
          "{}: num_channels is {}; images have 3", config.where(),
          config.integer_or("num_channels", 3, 1, 1024));
  ConvNextSizes sizes = read_convnext_sizes(config);
  facts.prefix = "convnext.";
  facts.bare_class = "ConvNextModel";
  facts.hidden = sizes.hidden.back();
  facts.layers = std::accumulate(sizes.depths.begin(), sizes.depths.end(), int64_t{0});
  facts.images = true;
  facts.max_tokens = 4096;
  facts.sequence_head = {
      .input = HeadInput::kPooler, .dropout_first = false, .output = "classifier"};
}

std::unique_ptr<Model> build_convnext(const ModelConfig& config, const BaseFacts&,
                                      const ModelParts&, WeightSource& weights) {
  return std::make_unique<ConvNext>(read_convnext_sizes(config), weights);
}

}  // namespace

const Family& family_convnext() {
  static const Family family{
      .name = "convnext",
      .model_types = {"convnext"},
      .summary = "Convolutional network with the parts of a transformer, for images.",
      .citation = "arXiv:2201.03545",
      .describe = describe_convnext,
      .build = build_convnext,
      .head_tensors = {"classifier."}};
  return family;
}

}  // namespace inlay
