#include "models/pre_norm_decoder.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/gated_activation.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/row_ops.h"
#include "autograd/ops/scale.h"
#include "models/shared_rows.h"
#include "nn/live_hooks.h"
#include "nn/recomputed.h"

namespace inlay {
namespace {

// Keys of one example.
RowSpace one_example(int64_t rows) {
  auto count = static_cast<std::size_t>(rows);
  RowSpace space{.example_offsets = {0, rows},
                 .chunk_offsets = {0, rows},
                 .example_place = std::vector<int32_t>(count),
                 .token_position = std::vector<int32_t>(count)};
  std::iota(space.token_position.begin(), space.token_position.end(), 0);
  return space;
}

}  // namespace

std::deque<LinearSite> PreNormDecoder::make_attention_inputs(SiteMaker& make,
                                                             const DecoderNames& names,
                                                             int number) const {
  std::string at = layer_prefix(names.layer, number);
  int64_t queries = sizes_.heads * sizes_.head_dim, keys = sizes_.kv_heads * sizes_.head_dim;
  auto linear = [&](const std::string& name, SiteRole role, int64_t out) {
    return make.linear(at + name, role, number,
                       {.in = sizes_.hidden,
                        .out = out,
                        .bias = sizes_.attention_bias,
                        .in_by_out = sizes_.in_by_out});
  };
  std::deque<LinearSite> inputs;
  if (!names.query_key_value.empty()) {
    inputs.push_back(linear(names.query_key_value, SiteRole::kQueryKeyValue, queries + 2 * keys));
    return inputs;
  }
  inputs.push_back(linear(names.query, SiteRole::kQuery, queries));
  inputs.push_back(linear(names.key, SiteRole::kKey, keys));
  inputs.push_back(linear(names.value, SiteRole::kValue, keys));
  return inputs;
}

SelfAttentionSite PreNormDecoder::make_attention(SiteMaker& make, const DecoderNames& names,
                                                 int number) const {
  auto place = static_cast<std::size_t>(number);
  return make.attention(layer_prefix(names.layer, number) + names.attention_output, number,
                        sizes_.head_dim,
                        {.heads = sizes_.heads,
                         .kv_heads = sizes_.kv_heads,
                         .scale = static_cast<float>(sizes_.attention_scale),
                         .causal = true,
                         .window = sizes_.windows.empty() ? 0 : sizes_.windows[place],
                         .soft_cap = static_cast<float>(sizes_.attention_cap)});
}

PreNormDecoder::Layer PreNormDecoder::make_layer(SiteMaker& make, const DecoderNames& names,
                                                 int number) const {
  std::string at = layer_prefix(names.layer, number);
  int64_t size = sizes_.hidden, wide = sizes_.intermediate;
  auto linear = [&](const std::string& name, SiteRole role, LinearForm form) {
    form.in_by_out = sizes_.in_by_out;
    return make.linear(at + name, role, number, form);
  };
  auto norm = [&](const std::string& name, int64_t channels) {
    return make.norm(at + name, number, channels, sizes_.norm);
  };
  auto norm_if_any = [&](const std::string& name, int64_t channels) {
    return name.empty() ? std::nullopt : std::optional(norm(name, channels));
  };
  auto block = [&](const std::string& adapters, SiteRole role) {
    return make.hidden(at + adapters, at + adapters, role, number);
  };
  bool bias = sizes_.feed_forward_bias, own_gate = !names.gate.empty();
  auto place = static_cast<std::size_t>(number);
  return {
      .attention_inputs = make_attention_inputs(make, names, number),
      .attention_output = linear(names.attention_output, SiteRole::kAttentionOutput,
                                 {.in = sizes_.heads * sizes_.head_dim,
                                  .out = size,
                                  .bias = sizes_.attention_output_bias}),
      .gate = own_gate ? std::optional(linear(names.gate, SiteRole::kGate,
                                              {.in = size, .out = wide, .bias = bias}))
                       : std::nullopt,
      .up = linear(names.up, SiteRole::kUp,
                   {.in = size, .out = sizes_.gated && !own_gate ? 2 * wide : wide, .bias = bias}),
      .down = linear(names.down, SiteRole::kDown, {.in = wide, .out = size, .bias = bias}),
      .attention_norm = norm(names.attention_norm, size),
      .feed_forward_norm = norm(names.feed_forward_norm, size),
      .query_norm = norm_if_any(names.query_norm, sizes_.head_dim),
      .key_norm = norm_if_any(names.key_norm, sizes_.head_dim),
      .after_attention_norm = norm_if_any(names.after_attention_norm, size),
      .after_feed_forward_norm = norm_if_any(names.after_feed_forward_norm, size),
      .attention_block = block(names.attention_adapters, SiteRole::kAttentionBlock),
      .feed_forward_block = block(names.output_adapters, SiteRole::kFeedForwardBlock),
      .whole = make.hidden(at.substr(0, at.size() - 1), at + "reft_layer.refts",
                           SiteRole::kLayerOutput, number),
      .attention = make_attention(make, names, number),
      .rotation = sizes_.rotation_of_layer.empty() ? 0 : sizes_.rotation_of_layer[place]};
}

void PreNormDecoder::make_projection(WeightSource& weights, const DecoderNames& names) {
  Site site{.name = names.projection,
            .kind = SiteKind::kLinear,
            .role = SiteRole::kLanguageModel,
            .in = sizes_.hidden,
            .out = sizes_.vocabulary};
  const std::string name = (sizes_.tied ? names.word : names.projection) + ".weight";
  const Shape shape{sizes_.vocabulary, sizes_.hidden};
  if (auto matrix = weights.take_quantised(name, shape)) {
    site.quantised = std::make_shared<const QuantisedMatrix>(std::move(*matrix));
    FrozenWeight whole(*site.quantised, Tensor());
    VocabularyProjection pieces(*site.quantised);
    projection_ = std::make_unique<Projection>(
        Projection{{std::move(site), std::move(whole)}, std::move(pieces)});
    return;
  }
  site.weight = sizes_.tied ? word_.site.weight : weights.take(name, shape);
  Tensor weight = site.weight;
  FrozenWeight packed(weight, Tensor(), onednn::Layout::kOutIn, nullptr);
  projection_ = std::make_unique<Projection>(
      Projection{{std::move(site), std::move(packed)}, VocabularyProjection(weight)});
}

PreNormDecoder::PreNormDecoder(const DecoderSizes& sizes, const DecoderNames& names,
                               ModelParts parts, WeightSource& weights)
    : sizes_(sizes) {
  require(sizes.heads % sizes.kv_heads == 0, ErrorKind::kInput,
          "{}: {} attention heads are no multiple of the {} key and value heads", weights.where(),
          sizes.heads, sizes.kv_heads);
  SiteMaker make(weights, sizes.hidden);
  word_ = make.embedding(names.word, sizes.vocabulary);
  if (!names.position.empty()) position_ = make.embedding(names.position, sizes.positions);
  for (const RotaryFrequencies& frequencies : sizes.rotations) rotary_.emplace_back(frequencies);
  inputs_ = make.prompt("inputs_embeds", SiteRole::kInputEmbeddings);
  prompt_ = make.prompt("prompt_tuning", SiteRole::kEmbeddingOutput);
  embedded_ = make.hidden("embeddings", "invertible_adapters", SiteRole::kEmbeddingOutput, -1);
  for (int number = 0; number < sizes.layers; ++number)
    layers_.push_back(make_layer(make, names, number));
  final_norm_ = make.norm(names.final_norm, -1, sizes.hidden, sizes.norm);
  if (parts.language_model) make_projection(weights, names);
  register_sites();
}

void PreNormDecoder::register_layer(Layer& layer) {
  add_site(layer.attention_norm.site);
  for (LinearSite& module : layer.attention_inputs) add_site(module.site);
  for (std::optional<NormSite>* norm : {&layer.query_norm, &layer.key_norm}) {
    if (norm->has_value()) add_site((*norm)->site);
  }
  add_site(layer.attention.site);
  add_site(layer.attention_output.site);
  if (layer.after_attention_norm.has_value()) add_site(layer.after_attention_norm->site);
  add_site(layer.attention_block.site);
  add_site(layer.feed_forward_norm.site);
  if (layer.gate.has_value()) add_site(layer.gate->site);
  add_site(layer.up.site);
  add_site(layer.down.site);
  if (layer.after_feed_forward_norm.has_value()) add_site(layer.after_feed_forward_norm->site);
  add_site(layer.feed_forward_block.site);
  add_site(layer.whole.site);
}

void PreNormDecoder::register_sites() {
  add_site(word_.site);
  if (position_.has_value()) add_site(position_->site);
  add_site(inputs_.site);
  add_site(embedded_.site);
  add_site(prompt_.site);
  for (Layer& layer : layers_) register_layer(layer);
  add_site(final_norm_.site);
  if (projection_ != nullptr && !sizes_.tied) add_site(projection_->whole.site);
}

std::vector<const Site*> PreNormDecoder::embedding_sites() const {
  std::vector<const Site*> sites{&word_.site, &inputs_.site, &embedded_.site, &prompt_.site};
  if (position_.has_value()) sites.push_back(&position_->site);
  return sites;
}

std::vector<const Site*> PreNormDecoder::sites_of_layer(int layer) const {
  std::vector<const Site*> own;
  std::copy_if(sites().begin(), sites().end(), std::back_inserter(own),
               [layer](const Site* site) { return site->layer == layer; });
  return own;
}

// Virtual tokens take positions like any other.
Variable PreNormDecoder::with_positions(Context& context, Variable words,
                                        KeyValueCache* cache) const {
  const RowSpace& rows = *words.row_space();
  std::vector<int32_t> positions;
  positions.reserve(static_cast<std::size_t>(rows.rows()));
  for (std::size_t e = 0; e + 1 < rows.example_offsets.size(); ++e) {
    int64_t first = cache == nullptr ? 0 : cache->counted()[e];
    int64_t last = first + rows.example_offsets[e + 1] - rows.example_offsets[e];
    require(last <= sizes_.positions, ErrorKind::kInput,
            "a text of {} tokens, virtual ones among them, exceeds the {} positions of the model; "
            "use a smaller max_length",
            last, sizes_.positions);
    for (int64_t i = first; i < last; ++i) positions.push_back(static_cast<int32_t>(i));
    if (cache != nullptr) cache->count(static_cast<int64_t>(e), last - first);
  }
  return add(context, words,
             table_rows(context, *position_, *context.keep(std::move(positions)), &rows));
}

Variable PreNormDecoder::embed(Context& context, const TokenBatch& batch,
                               KeyValueCache* cache) const {
  bool begins = cache == nullptr || cache->empty();
  Variable x = table_rows(context, word_, batch.ids, &batch.tokens);
  bool scaled = sizes_.embedding_scale != 1, table = sizes_.scaled_table;
  if (scaled && table) x = scale(context, x, sizes_.embedding_scale);
  if (begins) x = prompt_site(context, inputs_, x);
  if (scaled && !table) x = scale(context, x, sizes_.embedding_scale);
  if (position_.has_value()) x = with_positions(context, std::move(x), cache);
  x = hidden_site(context, embedded_, std::move(x));
  return begins ? prompt_site(context, prompt_, x) : x;
}

PreNormDecoder::Pass PreNormDecoder::pass_over(Context& context, const RowSpace& rows,
                                               KeyValueCache* cache) const {
  Pass pass{.cache = cache};
  std::vector<int64_t> past;
  if (cache != nullptr) past = cache->lengths();
  pass.rotations.reserve(rotary_.size());
  for (const RotaryPositions& positions : rotary_)
    pass.rotations.push_back(positions.of(context, rows, past));
  return pass;
}

PreNormDecoder::Attended PreNormDecoder::project(Context& context, const Layer& layer,
                                                 const Variable& x, const Pass& pass) const {
  int64_t queries = sizes_.heads * sizes_.head_dim, keys = sizes_.kv_heads * sizes_.head_dim;
  auto made = [&](std::size_t i) {
    return linear_site(context, layer.attention_inputs[i], x, Precision::kCompute);
  };
  Attended all;
  if (layer.attention_inputs.size() == 1) {
    Variable joined = made(0);
    all = {slice_channels(context, joined, 0, queries),
           slice_channels(context, joined, queries, keys),
           slice_channels(context, joined, queries + keys, keys)};
  } else {
    all = {made(0), made(1), made(2)};
  }
  if (layer.query_norm.has_value())
    all.query = head_norm_site(context, *layer.query_norm, all.query, sizes_.heads);
  if (layer.key_norm.has_value())
    all.key = head_norm_site(context, *layer.key_norm, all.key, sizes_.kv_heads);
  if (pass.rotations.empty()) return all;
  const Rotation& rotation = pass.rotations[layer.rotation];
  all.query = rotary(context, all.query, sizes_.heads, *rotation.tables, *rotation.rows);
  all.key = rotary(context, all.key, sizes_.kv_heads, *rotation.tables, *rotation.rows);
  return all;
}

Variable PreNormDecoder::attend_cached(Context& context, const Layer& layer,
                                       const AttentionBlock& block, KeyValueCache& cache) const {
  const RowSpace& space = *block.query.row_space();
  int number = layer.attention.site.layer;
  std::vector<Variable> parts;
  parts.reserve(static_cast<std::size_t>(space.examples()));
  for (int64_t e = 0; e < space.examples(); ++e) {
    auto begin = space.example_offsets[static_cast<std::size_t>(e)];
    auto end = space.example_offsets[static_cast<std::size_t>(e) + 1];
    cache.append(number, e, block.key.value().rows(begin, end),
                 block.value.value().rows(begin, end));
    const RowSpace* own = context.part_of(space, e, e + 1);
    Tensor keys = cache.keys(number, e);
    const RowSpace* all = context.keep(one_example(keys.dim(0)));
    parts.push_back(attention_site(
        context, layer.attention,
        {slice_rows(context, block.input, begin, end, own),
         slice_rows(context, block.query, begin, end, own), context.tape.constant(keys, all),
         context.tape.constant(cache.values(number, e), all), block.key_projection,
         block.value_projection, block.shape}));
  }
  return parts.size() == 1 ? parts.front() : concat_rows(context, parts, &space);
}

Variable PreNormDecoder::attend(Context& context, const Layer& layer, const Variable& x,
                                const Pass& pass) const {
  Variable read = norm_site(context, layer.attention_norm, x, Variable());
  Variable mixed;
  {
    Attended all = project(context, layer, read, pass);
    int64_t queries = sizes_.heads * sizes_.head_dim, keys = sizes_.kv_heads * sizes_.head_dim;
    bool fused = layer.attention_inputs.size() == 1;
    KeyValueProjection key{layer.attention_inputs[fused ? 0 : 1], fused ? queries : 0, keys};
    KeyValueProjection value{layer.attention_inputs[fused ? 0 : 2], fused ? queries + keys : 0,
                             keys};
    AttentionBlock block{read, all.query, all.key, all.value, key, value, layer.attention.shape};
    mixed = pass.cache != nullptr ? attend_cached(context, layer, block, *pass.cache)
                                  : attention_site(context, layer.attention, block);
  }
  Variable attended = linear_site(context, layer.attention_output, mixed, Precision::kFull);
  mixed = Variable();
  if (layer.after_attention_norm.has_value())
    attended = norm_site(context, *layer.after_attention_norm, attended, Variable());
  return hidden_site(context, layer.attention_block, read, std::move(attended), x);
}

Variable PreNormDecoder::feed_forward(Context& context, const Layer& layer,
                                      const Variable& x) const {
  Variable read = norm_site(context, layer.feed_forward_norm, x, Variable());
  Variable wide;
  {
    Variable up = linear_site(context, layer.up, read, Precision::kCompute);
    if (!sizes_.gated) {
      wide = activation(context, up, sizes_.activation);
    } else if (layer.gate.has_value()) {
      wide = gated_activation(context, linear_site(context, *layer.gate, read, Precision::kCompute),
                              up, sizes_.activation);
    } else {
      int64_t half = sizes_.intermediate;
      wide = gated_activation(context, slice_channels(context, up, 0, half),
                              slice_channels(context, up, half, half), sizes_.activation);
    }
  }
  Variable output = linear_site(context, layer.down, wide, Precision::kFull);
  wide = Variable();
  if (layer.after_feed_forward_norm.has_value())
    output = norm_site(context, *layer.after_feed_forward_norm, output, Variable());
  return hidden_site(context, layer.feed_forward_block, read, std::move(output), x);
}

Variable PreNormDecoder::run_layer(Context& context, const Layer& layer, const Variable& x,
                                   const Pass& pass) const {
  Variable middle = add(context, x, attend(context, layer, x, pass));
  return hidden_site(context, layer.whole,
                     add(context, middle, feed_forward(context, layer, middle)));
}

Variable PreNormDecoder::finish(Context& context, const Variable& x,
                                const TokenBatch& batch) const {
  Variable rows = norm_site(context, final_norm_, x, Variable());
  const RowSpace& space = *rows.row_space();
  if (&space == &batch.tokens) return rows;
  std::vector<int64_t> own;
  own.reserve(batch.ids.size());
  for (std::size_t row = 0; row < space.token_position.size(); ++row) {
    if (space.token_position[row] >= 0) own.push_back(static_cast<int64_t>(row));
  }
  return select_rows(context, rows, std::move(own), &batch.tokens);
}

Variable PreNormDecoder::run_layers(Context& context, Variable x, std::size_t first,
                                    std::size_t last, KeyValueCache* cache) const {
  if (first == last) return x;
  auto pass = std::make_shared<const Pass>(pass_over(context, *x.row_space(), cache));
  for (std::size_t i = first; i < last; ++i) {
    const Layer& layer = layers_[i];
    x = recomputed(context, x, [this, &context, &layer, pass](const Variable& read) {
      return run_layer(context, layer, read, *pass);
    });
  }
  return x;
}

Variable PreNormDecoder::encode_first(Context& context, const TokenBatch& batch,
                                      int64_t layers) const {
  context.begin_forward();
  return run_layers(context, embed(context, batch, nullptr), 0, static_cast<std::size_t>(layers),
                    nullptr);
}

Variable PreNormDecoder::encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                                     int64_t layers) const {
  Variable x = run_layers(context, std::move(hidden), static_cast<std::size_t>(layers),
                          layers_.size(), nullptr);
  return finish(context, x, batch);
}

Variable PreNormDecoder::continue_from(Context& context, const TokenBatch& batch,
                                       KeyValueCache& cache) const {
  ensure(!context.tape.recording() && context.segments.empty(),
         "generation records nothing, and its sequences share their adapters");
  ensure(cache.sequences() == batch.example_count(), "{} sequences go on from a cache of {}",
         batch.example_count(), cache.sequences());
  context.begin_forward();
  Variable x = run_layers(context, embed(context, batch, &cache), 0, layers_.size(), &cache);
  return finish(context, x, batch);
}

std::vector<Variable> PreNormDecoder::encode_several(Context& context,
                                                     std::span<const AdaptedBatch> asked,
                                                     SharedWork& work) const {
  context.begin_forward();
  SharedRows shared(context, asked);
  Variable x = shared.start(
      embedding_sites(), [&](const TokenBatch& batch) { return embed(context, batch, nullptr); });
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = shared.enter(sites_of_layer(static_cast<int>(i)), std::move(x));
    x = run_layer(context, layers_[i], x, pass_over(context, *x.row_space(), nullptr));
  }
  std::vector<Variable> rows = shared.finish(x);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    context.adapters = asked[i].adapters;
    rows[i] = finish(context, rows[i], *asked[i].batch);
  }
  context.adapters.clear();
  work.computed += shared.work().computed;
  work.alone += shared.work().alone;
  return rows;
}

bool PreNormDecoder::adapts_projection(const Context& context) const {
  return any_adapter(context, sizes_.tied ? word_.site : projection_->whole.site) ||
         any_adapter(context, embedded_.site);
}

Variable PreNormDecoder::next_token_logits(Context& context, const Variable& rows) const {
  Variable logits;
  if (sizes_.tied) {
    // The table's rows are what invertible adapters changed on their way in.
    Variable x = inverse_site(context, embedded_, rows);
    logits = tied_linear_site(context, {word_, nullptr, projection_->whole.weight}, x);
  } else {
    logits = linear_site(context, projection_->whole, rows, Precision::kFull);
  }
  if (sizes_.logit_cap == 0) return logits;
  Variable bent =
      activation(context, scale(context, logits, 1 / sizes_.logit_cap), Activation::kTanh);
  return scale(context, bent, sizes_.logit_cap);
}

Variable PreNormDecoder::next_token_loss(Context& context, const Variable& rows,
                                         const std::vector<int32_t>& targets,
                                         double normalizer) const {
  if (!adapts_projection(context)) {
    return projected_cross_entropy(context, rows, projection_->pieces, targets,
                                   {.normalizer = normalizer, .soft_cap = sizes_.logit_cap});
  }
  return cross_entropy(context, next_token_logits(context, rows), targets,
                       {.normalizer = normalizer});
}

}  // namespace inlay
