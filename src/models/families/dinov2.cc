// DINOv2: Oquab et al. 2023, arXiv:2304.07193: a transformer over patches with factors for what its
// blocks give, for images of any size.
#include "models/families/limits.h"
#include "models/family.h"
#include "models/vision_transformer.h"

namespace inlay {
namespace {

void describe_dinov2(const ModelConfig& config, BaseFacts& facts) {
  require(config.integer_or("num_channels", 3, 1, 1024) == 3, ErrorKind::kInput,
          "{}: num_channels is {}; images have 3", config.where(),
          config.integer_or("num_channels", 3, 1, 1024));
  facts.prefix = "dinov2.";
  facts.bare_class = "Dinov2Model";
  facts.hidden = config.integer_or("hidden_size", 768, 1, kMaxSize);
  facts.layers = config.integer_or("num_hidden_layers", 12, 1, 1024);
  facts.images = true;
  facts.max_tokens = kMaxSize;
  facts.pooled = 2 * facts.hidden;
  facts.sequence_head = {
      .input = HeadInput::kPooler, .dropout_first = false, .output = "classifier"};
}

std::unique_ptr<Model> build_dinov2(const ModelConfig& config, const BaseFacts& facts,
                                    const ModelParts&, WeightSource& weights) {
  require(!config.boolean_or("use_swiglu_ffn", false), ErrorKind::kInput,
          "{}: use_swiglu_ffn is true; expected false: the giant DINOv2 with its gated "
          "feed-forward part is not supported, use the small, base or large one",
          config.where());
  int64_t side = config.integer_or("image_size", 224, 1, kMaxSide);
  double ratio = config.number_or("mlp_ratio", 4, 0.125, 64);
  VisionSizes sizes{
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = config.integer_or("num_attention_heads", 12, 1, 4096),
      .intermediate = static_cast<int64_t>(static_cast<double>(facts.hidden) * ratio),
      .image = {side, side},
      .patch = config.integer_or("patch_size", 14, 1, 1024),
      .eps = config.number_or("layer_norm_eps", 1e-6, 0, 1),
      .qkv_bias = config.boolean_or("qkv_bias", true),
      .activation = parse_activation(config.text_or("hidden_act", "gelu"), config.where()),
      .any_size = true,
      .pools = true,
      .names = {.attention_norm = "norm1",
                .norm = "norm2",
                .up = "mlp.fc1",
                .down = "mlp.fc2",
                .feed_forward = "mlp",
                .attention_scale = "layer_scale1.lambda1",
                .scale = "layer_scale2.lambda1"}};
  require(sizes.intermediate >= 1, ErrorKind::kInput,
          "{}: mlp_ratio {} of {} channels leaves no inner channel; expected one at least",
          config.where(), ratio, facts.hidden);
  return std::make_unique<VisionTransformer>(sizes, weights);
}

}  // namespace

const Family& family_dinov2() {
  static const Family family{
      .name = "dinov2",
      .model_types = {"dinov2"},
      .summary = "Transformer over the patches of an image, pretrained without labels.",
      .citation = "arXiv:2304.07193",
      .describe = describe_dinov2,
      .build = build_dinov2,
      .head_tensors = {"classifier.", "embeddings.mask_token"}};
  return family;
}

}  // namespace inlay
