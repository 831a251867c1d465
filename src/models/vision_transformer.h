// The encoder of images that ViT, DeiT and DINOv2 share: patches become tokens by a convolution,
// special tokens stand before them, positions are added; then layers of self-attention and a
// feed-forward part, each reading a norm of the residual stream (Dosovitskiy et al. 2020,
// arXiv:2010.11929, eq. 1 to 4). A family gives sizes and names.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "autograd/ops/activation.h"
#include "models/image_model.h"
#include "models/layer_scale.h"
#include "models/site_maker.h"

namespace inlay {

// Within a layer.
struct VisionNames {
  std::string attention_norm = "layernorm_before", norm = "layernorm_after";
  std::string up = "intermediate.dense", down = "output.dense";
  std::string feed_forward = "output";           // the module of both
  std::string attention_scale = {}, scale = {};  // factors of what both blocks give; empty: none
};

struct VisionSizes {
  int64_t hidden = 768, layers = 12, heads = 12, intermediate = 3072;
  MapSize image;
  int64_t patch = 16;
  double eps = 1e-12;
  bool qkv_bias = true;
  Activation activation = Activation::kGelu;
  // Tensors (1, 1, hidden) that stand before the patches, in order; one at least.
  std::vector<std::string> special = {"embeddings.cls_token"};
  // Takes images of other sizes, with positions in between those it has.
  bool any_size = false;
  // Has a pooler: the first token beside the mean of the patches, (examples, 2 * hidden).
  bool pools = false;
  VisionNames names = {};
};

class VisionTransformer : public ImageModel {
 public:
  VisionTransformer(const VisionSizes& sizes, WeightSource& weights);
  bool has_pooler() const override { return sizes_.pools; }
  Variable pooled(Context& context, const Variable& hidden, const TokenBatch& batch) const override;

 protected:
  Variable embed(Context& context, const Variable& pixels) const override;
  Variable run_layer(Context& context, int64_t number, Variable x) const override;
  Variable finish(Context& context, Variable x) const override;

 private:
  struct Layer {
    NormSite attention_norm, norm;
    LinearSite query, key, value, attention_output, up, down;
    HiddenSite attention_block, feed_forward_block, whole;
    SelfAttentionSite attention;
    std::optional<LayerScale> attention_scale, scale;
  };

  Layer make_layer(SiteMaker& make, int number) const;
  // A table whose tensor in the files is `name` itself, of this shape.
  static EmbeddingSite make_table(WeightSource& weights, const std::string& name,
                                  const Shape& stored, int64_t rows, int64_t channels);
  void register_sites();
  // What is added to `tokens`, those of images with as many `places`.
  Variable positions(Context& context, const RowSpace& places, const RowSpace* tokens) const;
  Variable run_layer(Context& context, const Layer& layer, const Variable& x) const;
  // Of the patches that there are positions for.
  MapSize grid() const {
    return {sizes_.image.height / sizes_.patch, sizes_.image.width / sizes_.patch};
  }
  int64_t before_map() const { return static_cast<int64_t>(special_.size()); }

  VisionSizes sizes_;
  ConvSite patches_;
  std::vector<EmbeddingSite> special_;
  EmbeddingSite positions_;
  PromptSite prompt_;
  HiddenSite embedded_;
  std::deque<Layer> layers_;
  NormSite norm_;
};

}  // namespace inlay
