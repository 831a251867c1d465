#include "models/post_norm_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/pooling.h"
#include "autograd/ops/row_ops.h"

namespace inlay {

namespace {

std::string layer_prefix(const std::string& pattern, int number) {
  std::size_t place = pattern.find("{}");
  return pattern.substr(0, place) + std::to_string(number) + pattern.substr(place + 2);
}

bool same_contents(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.raw() == b.raw() || std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0);
}

}  // namespace

LinearSite PostNormEncoder::linear(WeightSource& weights, const std::string& name, SiteRole role,
                                   int layer, int64_t in, int64_t out) {
  Site site{.name = name, .kind = SiteKind::kLinear, .role = role, .layer = layer};
  FrozenWeight weight = weights.take_linear(name, in, out, site);
  return {std::move(site), std::move(weight)};
}

NormSite PostNormEncoder::norm(WeightSource& weights, const std::string& name, int layer) {
  NormSite norm;
  norm.site = {.name = name, .kind = SiteKind::kNorm, .layer = layer};
  norm.eps = static_cast<float>(sizes_.eps);
  weights.take_norm(name, sizes_.hidden, norm);
  return norm;
}

EmbeddingSite PostNormEncoder::embedding(WeightSource& weights, const std::string& name,
                                         int64_t rows) {
  Site site{.name = name, .kind = SiteKind::kEmbedding, .in = rows, .out = sizes_.hidden};
  site.weight = weights.take(name + ".weight", {rows, sizes_.hidden});
  return {std::move(site)};
}

HiddenSite PostNormEncoder::hidden(const std::string& name, const std::string& adapterhub,
                                   SiteRole role, int layer) const {
  Site site{.name = name,
            .kind = SiteKind::kHidden,
            .role = role,
            .layer = layer,
            .in = sizes_.hidden,
            .out = sizes_.hidden,
            .adapterhub = adapterhub};
  return {std::move(site)};
}

SelfAttentionSite PostNormEncoder::self_attention(const std::string& query, int layer) const {
  Site site{.name = query.substr(0, query.rfind('.')),
            .kind = SiteKind::kAttention,
            .layer = layer,
            .in = sizes_.hidden,
            .out = sizes_.hidden,
            .heads = sizes_.heads,
            .kv_heads = sizes_.heads};
  float head_size = static_cast<float>(sizes_.hidden / sizes_.heads);
  return {std::move(site),
          {.heads = sizes_.heads, .kv_heads = sizes_.heads, .scale = 1.0f / std::sqrt(head_size)}};
}

PromptSite PostNormEncoder::prompt(const std::string& name, SiteRole role) const {
  return {{.name = name,
           .kind = SiteKind::kPrompt,
           .role = role,
           .in = sizes_.hidden,
           .out = sizes_.hidden}};
}

PostNormEncoder::Layer PostNormEncoder::make_layer(WeightSource& weights, const EncoderNames& names,
                                                   int number) {
  std::string at = layer_prefix(names.layer, number);
  int64_t size = sizes_.hidden, wide = sizes_.intermediate;
  auto block = [&](const std::string& adapters, SiteRole role) {
    return hidden(at + adapters, at + adapters, role, number);
  };
  return {
      linear(weights, at + names.query, SiteRole::kQuery, number, size, size),
      linear(weights, at + names.key, SiteRole::kKey, number, size, size),
      linear(weights, at + names.value, SiteRole::kValue, number, size, size),
      linear(weights, at + names.attention_output, SiteRole::kAttentionOutput, number, size, size),
      linear(weights, at + names.up, SiteRole::kUp, number, size, wide),
      linear(weights, at + names.down, SiteRole::kDown, number, wide, size),
      norm(weights, at + names.attention_norm, number),
      norm(weights, at + names.output_norm, number),
      block(names.attention_adapters, SiteRole::kAttentionBlock),
      block(names.output_adapters, SiteRole::kFeedForwardBlock),
      hidden(at.substr(0, at.size() - 1), at + "reft_layer.refts", SiteRole::kLayerOutput, number),
      self_attention(at + names.query, number)};
}

std::unique_ptr<PostNormEncoder::MaskedLm> PostNormEncoder::make_masked_lm(
    WeightSource& weights, const EncoderNames& names) {
  LinearSite dense =
      linear(weights, names.mlm_dense, SiteRole::kMaskedLm, -1, sizes_.hidden, sizes_.hidden);
  NormSite mlm_norm = norm(weights, names.mlm_norm, -1);
  mlm_norm.site.role = SiteRole::kMaskedLm;
  Site bias{.name = names.mlm_bias,
            .kind = SiteKind::kParameter,
            .role = SiteRole::kMaskedLm,
            .out = sizes_.vocabulary};
  bias.bias = weights.take(names.mlm_bias, {sizes_.vocabulary});
  // Files may repeat the tied weight and the bias under the decoder's name; the shapes must agree.
  // A weight of other contents is the decoder's own.
  Tensor table = word_.site.weight;
  if (weights.contains(names.mlm_decoder + ".weight")) {
    table = weights.take(names.mlm_decoder + ".weight", {sizes_.vocabulary, sizes_.hidden});
  }
  if (weights.contains(names.mlm_decoder + ".bias"))
    weights.take(names.mlm_decoder + ".bias", {sizes_.vocabulary});
  FrozenWeight decoder(table, bias.bias, onednn::Layout::kOutIn, nullptr);
  return std::make_unique<MaskedLm>(MaskedLm{std::move(dense), std::move(mlm_norm),
                                             std::move(decoder), std::move(bias),
                                             same_contents(table, word_.site.weight)});
}

PostNormEncoder::PostNormEncoder(const EncoderSizes& sizes, const EncoderNames& names,
                                 ModelParts parts, WeightSource& weights)
    : sizes_(sizes) {
  require(sizes.hidden % sizes.heads == 0, ErrorKind::kInput,
          "{}/config.json: {} attention heads do not divide the hidden size {}", weights.where(),
          sizes.heads, sizes.hidden);
  word_ = embedding(weights, names.word, sizes.vocabulary);
  position_ = embedding(weights, names.position, sizes.positions);
  if (!names.type.empty()) type_ = embedding(weights, names.type, sizes.types);
  embedding_norm_ = norm(weights, names.embedding_norm, -1);
  embedded_ = hidden(names.word.substr(0, names.word.find('.')), "invertible_adapters",
                     SiteRole::kEmbeddingOutput, -1);
  inputs_ = prompt("inputs_embeds", SiteRole::kInputEmbeddings);
  prompt_ = prompt("prompt_tuning", SiteRole::kEmbeddingOutput);
  for (int number = 0; number < sizes.layers; ++number)
    layers_.push_back(make_layer(weights, names, number));
  if (!names.pooler.empty() && weights.contains(names.pooler + ".weight")) {
    pooler_ = linear(weights, names.pooler, SiteRole::kPooler, -1, sizes.hidden, sizes.hidden);
  }
  if (parts.masked_lm && weights.contains(names.mlm_dense + ".weight"))
    mlm_ = make_masked_lm(weights, names);
  register_sites();
}

void PostNormEncoder::register_sites() {
  add_site(word_.site);
  add_site(position_.site);
  if (type_.has_value()) add_site(type_->site);
  add_site(embedding_norm_.site);
  add_site(embedded_.site);
  add_site(inputs_.site);
  add_site(prompt_.site);
  for (Layer& layer : layers_) {
    for (LinearSite* module : {&layer.query, &layer.key, &layer.value, &layer.attention_output})
      add_site(module->site);
    add_site(layer.attention.site);
    add_site(layer.attention_block.site);
    add_site(layer.attention_norm.site);
    for (LinearSite* module : {&layer.up, &layer.down}) add_site(module->site);
    add_site(layer.feed_forward_block.site);
    add_site(layer.output_norm.site);
    add_site(layer.whole.site);
  }
  if (pooler_.has_value()) add_site(pooler_->site);
  if (mlm_ != nullptr) {
    add_site(mlm_->dense.site);
    add_site(mlm_->norm.site);
    add_site(mlm_->bias);
  }
}

std::vector<const Site*> PostNormEncoder::embedding_sites() const {
  std::vector<const Site*> sites{&word_.site,     &position_.site, &embedding_norm_.site,
                                 &embedded_.site, &inputs_.site,   &prompt_.site};
  if (type_.has_value()) sites.push_back(&type_->site);
  return sites;
}

std::vector<const Site*> PostNormEncoder::sites_of_layer(int layer) const {
  std::vector<const Site*> own;
  std::copy_if(sites().begin(), sites().end(), std::back_inserter(own),
               [layer](const Site* site) { return site->layer == layer; });
  return own;
}

Variable PostNormEncoder::embed(Context& context, const TokenBatch& batch) const {
  // The order of Hugging Face's sum: word + type, then position.
  std::array<EmbeddingLookup, 3> lookups{lookup(context, word_, &batch.ids)};
  std::size_t count = 1;
  if (type_.has_value()) lookups.at(count++) = lookup(context, *type_, &batch.types);
  lookups.at(count++) = lookup(context, position_, &batch.positions);
  Variable sum = adapts_tables(context)
                     ? adapted_sum(context, batch)
                     : embedding_sum(context, {lookups.data(), count}, &batch.tokens);
  sum = norm_site(context, embedding_norm_, sum, Variable());
  return prompt_site(context, prompt_, hidden_site(context, embedded_, std::move(sum)));
}

EmbeddingLookup PostNormEncoder::lookup(Context& context, const EmbeddingSite& embedding,
                                        const std::vector<int32_t>* ids) const {
  return {{embedding.site.weight, embedding_replacement(context, embedding)}, ids};
}

bool PostNormEncoder::adapts_tables(const Context& context) const {
  return has_virtual_tokens(context, inputs_) || has_trained_rows(context, word_) ||
         has_trained_rows(context, position_) ||
         (type_.has_value() && has_trained_rows(context, *type_));
}

Variable PostNormEncoder::rows_of_table(Context& context, const EmbeddingSite& embedding,
                                        const std::vector<int32_t>& ids,
                                        const RowSpace* rows) const {
  std::array<EmbeddingLookup, 1> one{lookup(context, embedding, &ids)};
  return embedding_site(context, embedding, embedding_sum(context, one, rows), ids);
}

Variable PostNormEncoder::adapted_sum(Context& context, const TokenBatch& batch) const {
  Variable sum =
      prompt_site(context, inputs_, rows_of_table(context, word_, batch.ids, &batch.tokens));
  const RowSpace& rows = *sum.row_space();
  // Virtual tokens are of type 0 and take positions like any other.
  std::vector<int32_t> types, positions;
  types.reserve(rows.token_position.size());
  positions.reserve(rows.token_position.size());
  for (std::size_t e = 0; e + 1 < rows.example_offsets.size(); ++e) {
    auto own = static_cast<std::size_t>(batch.tokens.example_offsets[e]);
    int32_t first = batch.positions[own];
    int64_t count = rows.example_offsets[e + 1] - rows.example_offsets[e];
    int64_t room = sizes_.positions - first;
    require(count <= room, ErrorKind::kInput,
            "a text of {} tokens and its {} virtual ones exceed the {} positions of the model; use "
            "a max_length of {} or less",
            batch.tokens.example_offsets[e + 1] - batch.tokens.example_offsets[e],
            count - (batch.tokens.example_offsets[e + 1] - batch.tokens.example_offsets[e]), room,
            room - count + batch.tokens.example_offsets[e + 1] - batch.tokens.example_offsets[e]);
    for (int64_t row = rows.example_offsets[e]; row < rows.example_offsets[e + 1]; ++row) {
      bool is_virtual = rows.token_position[static_cast<std::size_t>(row)] < 0;
      types.push_back(is_virtual ? 0 : batch.types[own++]);
      positions.push_back(first + static_cast<int32_t>(row - rows.example_offsets[e]));
    }
  }
  auto add_table = [&](const EmbeddingSite& table, std::vector<int32_t> numbers) {
    sum =
        add(context, sum, rows_of_table(context, table, *context.keep(std::move(numbers)), &rows));
  };
  if (type_.has_value()) add_table(*type_, std::move(types));
  add_table(position_, std::move(positions));
  return sum;
}

namespace {

// The rows of x that are a text's own, in the batch's space. Where the sequence that positions
// count begins with a virtual token, set at `counted`, that token's row takes the first own row's
// place, as PEFT pools it.
Variable own_rows(Context& context, const Variable& x, const TokenBatch& batch,
                  const PromptSite& counted) {
  const RowSpace& rows = *x.row_space();
  if (&rows == &batch.tokens) return x;
  std::vector<int64_t> numbers;
  numbers.reserve(batch.ids.size());
  for (std::size_t e = 0; e + 1 < rows.example_offsets.size(); ++e) {
    int64_t first = rows.example_offsets[e];
    bool begins_virtual = rows.token_position[static_cast<std::size_t>(first)] < 0;
    bool pools_virtual =
        begins_virtual && has_virtual_tokens(context, counted, static_cast<int64_t>(e));
    if (pools_virtual) numbers.push_back(first);
    for (int64_t row = first; row < rows.example_offsets[e + 1]; ++row) {
      if (rows.token_position[static_cast<std::size_t>(row)] >= (pools_virtual ? 1 : 0))
        numbers.push_back(row);
    }
  }
  return select_rows(context, x, std::move(numbers), &batch.tokens);
}

}  // namespace

Variable PostNormEncoder::run_layer(Context& context, const Layer& layer, const Variable& x) const {
  Variable mixed;
  {
    Variable q = linear_site(context, layer.query, x, Precision::kCompute);
    Variable k = linear_site(context, layer.key, x, Precision::kCompute);
    Variable v = linear_site(context, layer.value, x, Precision::kCompute);
    mixed = attention_site(context, layer.attention,
                           {x, q, k, v, layer.key, layer.value, layer.attention.shape});
  }
  Variable attended = linear_site(context, layer.attention_output, mixed, Precision::kFull);
  mixed = Variable();
  attended =
      hidden_site(context, layer.attention_block, x, std::move(attended), x, layer.attention_norm);
  Variable middle = norm_site(context, layer.attention_norm, attended, x);
  attended = Variable();

  Variable wide = activation(context, linear_site(context, layer.up, middle, Precision::kCompute),
                             sizes_.activation);
  Variable output = linear_site(context, layer.down, wide, Precision::kFull);
  wide = Variable();
  output = hidden_site(context, layer.feed_forward_block, middle, std::move(output), middle,
                       layer.output_norm);
  return hidden_site(context, layer.whole, norm_site(context, layer.output_norm, output, middle));
}

Variable PostNormEncoder::encode(Context& context, const TokenBatch& batch) const {
  context.begin_forward();
  Variable x = embed(context, batch);
  for (const Layer& layer : layers_) x = run_layer(context, layer, x);
  return own_rows(context, x, batch, inputs_);
}

std::vector<Variable> PostNormEncoder::encode_several(Context& context,
                                                      std::span<const AdaptedBatch> asked,
                                                      SharedWork& work) const {
  context.begin_forward();
  SharedRows shared(context, asked);
  Variable x = shared.start(embedding_sites(),
                            [&](const TokenBatch& batch) { return embed(context, batch); });
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = shared.enter(sites_of_layer(static_cast<int>(i)), std::move(x));
    x = run_layer(context, layers_[i], x);
  }
  std::vector<Variable> rows = shared.finish(x);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    context.adapters = asked[i].adapters;
    rows[i] = own_rows(context, rows[i], *asked[i].batch, inputs_);
  }
  context.adapters.clear();
  work.computed += shared.work().computed;
  work.alone += shared.work().alone;
  return rows;
}

Variable PostNormEncoder::pooled(Context& context, const Variable& hidden,
                                 const TokenBatch& batch) const {
  Variable first = pooling(context, hidden, Pooling::kFirst, &batch.examples);
  return activation(context, linear_site(context, *pooler_, first, Precision::kFull),
                    Activation::kTanh);
}

Variable PostNormEncoder::masked_lm_logits(Context& context, const Variable& rows) const {
  Variable x = activation(context, linear_site(context, mlm_->dense, rows, Precision::kFull),
                          sizes_.activation);
  x = norm_site(context, mlm_->norm, x, Variable());
  // A tied decoder is the word embedding, whose rows invertible adapters changed on their way in.
  x = inverse_site(context, embedded_, x);
  if (mlm_->tied) return tied_linear_site(context, {word_, mlm_->bias, mlm_->decoder}, x);
  LinearWeights decoder{.frozen = &mlm_->decoder,
                        .bias = parameter_replacement(context, mlm_->bias)};
  return inlay::linear(context, x, decoder, Precision::kFull);
}

}  // namespace inlay
