// ViT: Dosovitskiy et al. 2020, arXiv:2010.11929. DeiT: Touvron et al. 2020, arXiv:2012.12877, with
// a second special token for distillation.
#include "models/families/limits.h"
#include "models/family.h"
#include "models/vision_transformer.h"

namespace inlay {
namespace {

bool is_deit(const ModelConfig& config) { return config.text("model_type") == "deit"; }

void describe_vit(const ModelConfig& config, BaseFacts& facts) {
  require(config.integer_or("num_channels", 3, 1, 1024) == 3, ErrorKind::kInput,
          "{}: num_channels is {}; images have 3", config.where(),
          config.integer_or("num_channels", 3, 1, 1024));
  facts.prefix = is_deit(config) ? "deit." : "vit.";
  facts.bare_class = is_deit(config) ? "DeiTModel" : "ViTModel";
  facts.hidden = config.integer_or("hidden_size", 768, 1, kMaxSize);
  facts.layers = config.integer_or("num_hidden_layers", 12, 1, 1024);
  facts.images = true;
  int64_t side = config.integer_or("image_size", 224, 1, kMaxSide);
  facts.image_size = {side, side};
  facts.max_tokens = kMaxSize;
  facts.sequence_head = {
      .input = HeadInput::kFirst, .dropout_first = false, .output = "classifier"};
}

std::unique_ptr<Model> build_vit(const ModelConfig& config, const BaseFacts& facts,
                                 const ModelParts&, WeightSource& weights) {
  VisionSizes sizes{
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = config.integer_or("num_attention_heads", 12, 1, 4096),
      .intermediate = config.integer_or("intermediate_size", 3072, 1, kMaxSize),
      .image = facts.image_size,
      .patch = config.integer_or("patch_size", 16, 1, 1024),
      .eps = config.number_or("layer_norm_eps", 1e-12, 0, 1),
      .qkv_bias = config.boolean_or("qkv_bias", true),
      .activation = parse_activation(config.text_or("hidden_act", "gelu"), config.where())};
  if (is_deit(config)) sizes.special.emplace_back("embeddings.distillation_token");
  return std::make_unique<VisionTransformer>(sizes, weights);
}

}  // namespace

const Family& family_vit() {
  static const Family family{.name = "vit",
                             .model_types = {"vit", "deit"},
                             .summary = "Transformer over the patches of an image; DeiT is one.",
                             .citation = "arXiv:2010.11929",
                             .describe = describe_vit,
                             .build = build_vit,
                             .head_tensors = {"classifier.", "pooler.", "cls_classifier.",
                                              "distillation_classifier.", "embeddings.mask_token"}};
  return family;
}

}  // namespace inlay
