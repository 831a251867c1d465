#include "models/vision_transformer.h"

#include <cmath>
#include <utility>

#include "autograd/map_space.h"
#include "autograd/ops/add.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/pooling.h"
#include "autograd/ops/resize_map.h"
#include "autograd/ops/row_ops.h"
#include "nn/recomputed.h"

namespace inlay {
namespace {

ConvForm patch_form(const VisionSizes& sizes) {
  return {.shape = {.in = 3,
                    .out = sizes.hidden,
                    .kernel_height = sizes.patch,
                    .kernel_width = sizes.patch,
                    .stride_height = sizes.patch,
                    .stride_width = sizes.patch},
          .bias = true};
}

// The rows that no adapter set among an image's own, of which `before` stand before its map.
Variable own_rows(Context& context, const Variable& x, int64_t before) {
  const RowSpace& rows = *x.row_space();
  std::vector<int64_t> numbers;
  numbers.reserve(rows.token_position.size());
  for (std::size_t row = 0; row < rows.token_position.size(); ++row) {
    if (rows.token_position[row] >= 0) numbers.push_back(static_cast<int64_t>(row));
  }
  if (numbers.size() == rows.token_position.size()) return x;
  return select_rows(context, x, std::move(numbers),
                     context.keep(map_space(rows, rows.map, before)));
}

}  // namespace

VisionTransformer::VisionTransformer(const VisionSizes& sizes, WeightSource& weights)
    : sizes_(sizes),
      patches_(SiteMaker(weights, sizes.hidden)
                   .conv("embeddings.patch_embeddings.projection", SiteRole::kPatchEmbedding, -1,
                         patch_form(sizes))) {
  require(sizes.hidden % sizes.heads == 0, ErrorKind::kInput,
          "{}/config.json: {} attention heads do not divide the hidden size {}", weights.where(),
          sizes.heads, sizes.hidden);
  require(sizes.image.height >= sizes.patch && sizes.image.width >= sizes.patch, ErrorKind::kInput,
          "{}/config.json: image_size {} x {} is smaller than patch_size {}", weights.where(),
          sizes.image.height, sizes.image.width, sizes.patch);
  SiteMaker make(weights, sizes.hidden);
  special_.reserve(sizes.special.size());
  for (const std::string& name : sizes.special)
    special_.push_back(make_table(weights, name, {1, 1, sizes.hidden}, 1, sizes.hidden));
  int64_t tokens = before_map() + grid().places();
  positions_ = make_table(weights, "embeddings.position_embeddings", {1, tokens, sizes.hidden},
                          tokens, sizes.hidden);
  prompt_ = make.prompt("prompt_tuning", SiteRole::kEmbeddingOutput);
  prompt_.site.at = before_map();
  embedded_ = make.hidden("embeddings", "invertible_adapters", SiteRole::kEmbeddingOutput, -1);
  for (int number = 0; number < sizes.layers; ++number) layers_.push_back(make_layer(make, number));
  norm_ = make.norm("layernorm", -1, sizes.hidden, {.eps = sizes.eps});
  register_sites();
}

EmbeddingSite VisionTransformer::make_table(WeightSource& weights, const std::string& name,
                                            const Shape& stored, int64_t rows, int64_t channels) {
  Site site{.name = name, .kind = SiteKind::kEmbedding, .in = rows, .out = channels};
  site.weight = weights.take(name, stored).reshaped({rows, channels});
  return {std::move(site)};
}

VisionTransformer::Layer VisionTransformer::make_layer(SiteMaker& make, int number) const {
  std::string at = layer_prefix("encoder.layer.{}.", number);
  int64_t size = sizes_.hidden, wide = sizes_.intermediate, head = size / sizes_.heads;
  const VisionNames& names = sizes_.names;
  auto attends = [&](const std::string& name, SiteRole role) {
    return make.linear(at + "attention.attention." + name, role, number,
                       {.in = size, .out = size, .bias = sizes_.qkv_bias});
  };
  auto norm = [&](const std::string& name) {
    return make.norm(at + name, number, size, {.eps = sizes_.eps});
  };
  auto scale = [&](const std::string& name) -> std::optional<LayerScale> {
    if (name.empty()) return std::nullopt;
    return make_layer_scale(make, at + name, number, size);
  };
  return {norm(names.attention_norm),
          norm(names.norm),
          attends("query", SiteRole::kQuery),
          attends("key", SiteRole::kKey),
          attends("value", SiteRole::kValue),
          make.linear(at + "attention.output.dense", SiteRole::kAttentionOutput, number,
                      {.in = size, .out = size}),
          make.linear(at + names.up, SiteRole::kUp, number, {.in = size, .out = wide}),
          make.linear(at + names.down, SiteRole::kDown, number, {.in = wide, .out = size}),
          make.hidden(at + "attention.output", at + "attention_adapters", SiteRole::kAttentionBlock,
                      number),
          make.hidden(at + names.feed_forward, at + "output_adapters", SiteRole::kFeedForwardBlock,
                      number),
          make.hidden(at.substr(0, at.size() - 1), at + "reft_layer.refts", SiteRole::kLayerOutput,
                      number),
          make.attention(at + "attention.attention.query", number, head,
                         {.heads = sizes_.heads,
                          .kv_heads = sizes_.heads,
                          .scale = 1.0f / std::sqrt(static_cast<float>(head))}),
          scale(names.attention_scale),
          scale(names.scale)};
}

void VisionTransformer::register_sites() {
  add_site(patches_.site);
  for (EmbeddingSite& table : special_) add_site(table.site);
  add_site(positions_.site);
  add_site(embedded_.site);
  add_site(prompt_.site);
  for (Layer& layer : layers_) {
    add_site(layer.attention_norm.site);
    for (LinearSite* module : {&layer.query, &layer.key, &layer.value, &layer.attention_output})
      add_site(module->site);
    add_site(layer.attention.site);
    if (layer.attention_scale.has_value()) add_site(layer.attention_scale->site);
    add_site(layer.attention_block.site);
    add_site(layer.norm.site);
    for (LinearSite* module : {&layer.up, &layer.down}) add_site(module->site);
    if (layer.scale.has_value()) add_site(layer.scale->site);
    add_site(layer.feed_forward_block.site);
    add_site(layer.whole.site);
  }
  add_site(norm_.site);
}

Variable VisionTransformer::embed(Context& context, const Variable& pixels) const {
  MapSize map = pixels.row_space()->map;
  require(sizes_.any_size || map == sizes_.image, ErrorKind::kUsage,
          "images of {} x {} for a base with positions for {} x {}; leave image_size out",
          map.height, map.width, sizes_.image.height, sizes_.image.width);
  Variable patches = conv_site(context, patches_, pixels, Precision::kFull);
  const RowSpace& places = *patches.row_space();
  const RowSpace* tokens = context.keep(map_space(places, places.map, before_map()));
  const RowSpace* alone = context.keep(rows_of_each(places, 1));
  const std::vector<int32_t>* first =
      context.keep(std::vector<int32_t>(static_cast<std::size_t>(places.examples()), 0));
  Variable before;
  int64_t count = 0;
  for (const EmbeddingSite& table : special_) {
    Variable own = table_rows(context, table, *first, alone);
    ++count;
    before = before.defined() ? insert_rows(context, before, own, count - 1,
                                            context.keep(rows_of_each(places, count)))
                              : own;
  }
  Variable x = insert_rows(context, patches, before, 0, tokens);
  x = add(context, x, positions(context, places, tokens));
  return prompt_site(context, prompt_, hidden_site(context, embedded_, std::move(x)));
}

Variable VisionTransformer::positions(Context& context, const RowSpace& places,
                                      const RowSpace* tokens) const {
  bool fits = places.map == grid();
  const RowSpace* rows = tokens;
  if (!fits) rows = context.keep(map_space(places, grid(), before_map()));
  std::vector<int32_t> numbers(rows->token_position);
  Variable table = table_rows(context, positions_, *context.keep(std::move(numbers)), rows);
  return fits ? table : resize_map(context, table, tokens);
}

Variable VisionTransformer::run_layer(Context& context, const Layer& layer,
                                      const Variable& x) const {
  Variable read = norm_site(context, layer.attention_norm, x, Variable());
  Variable mixed;
  {
    Variable q = linear_site(context, layer.query, read, Precision::kCompute);
    Variable k = linear_site(context, layer.key, read, Precision::kCompute);
    Variable v = linear_site(context, layer.value, read, Precision::kCompute);
    mixed = attention_site(context, layer.attention,
                           {read,
                            q,
                            k,
                            v,
                            {layer.key, 0, sizes_.hidden},
                            {layer.value, 0, sizes_.hidden},
                            layer.attention.shape});
  }
  Variable attended = linear_site(context, layer.attention_output, mixed, Precision::kFull);
  mixed = Variable();
  if (layer.attention_scale.has_value())
    attended = scaled(context, *layer.attention_scale, attended);
  attended = hidden_site(context, layer.attention_block, read, std::move(attended), x);
  Variable middle = add(context, attended, x);
  attended = Variable();

  read = norm_site(context, layer.norm, middle, Variable());
  Variable wide = activation(context, linear_site(context, layer.up, read, Precision::kCompute),
                             sizes_.activation);
  Variable output = linear_site(context, layer.down, wide, Precision::kFull);
  wide = Variable();
  if (layer.scale.has_value()) output = scaled(context, *layer.scale, output);
  output = hidden_site(context, layer.feed_forward_block, read, std::move(output), middle);
  return hidden_site(context, layer.whole, add(context, output, middle));
}

Variable VisionTransformer::run_layer(Context& context, int64_t number, Variable x) const {
  const Layer& layer = layers_[static_cast<std::size_t>(number)];
  return recomputed(context, x, [this, &context, &layer](const Variable& inner) {
    return run_layer(context, layer, inner);
  });
}

Variable VisionTransformer::finish(Context& context, Variable x) const {
  return own_rows(context, norm_site(context, norm_, x, Variable()), before_map());
}

Variable VisionTransformer::pooled(Context& context, const Variable& hidden,
                                   const TokenBatch& batch) const {
  const RowSpace& rows = *hidden.row_space();
  std::vector<int64_t> patches;
  patches.reserve(static_cast<std::size_t>(rows.rows()));
  for (std::size_t row = 0; row < rows.token_position.size(); ++row) {
    if (rows.token_position[row] >= before_map()) patches.push_back(static_cast<int64_t>(row));
  }
  Variable map =
      select_rows(context, hidden, std::move(patches), context.map_space(&rows, rows.map));
  return join_channels(context, pooling(context, hidden, Pooling::kFirst, &batch.examples),
                       pooling(context, map, Pooling::kMean, &batch.examples));
}

}  // namespace inlay
