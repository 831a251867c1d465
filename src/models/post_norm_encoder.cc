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
#include "nn/recomputed.h"

namespace inlay {

namespace {

bool same_contents(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.raw() == b.raw() || std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0);
}

}  // namespace

PostNormEncoder::Layer PostNormEncoder::make_layer(SiteMaker& make, const EncoderNames& names,
                                                   int number) const {
  std::string at = layer_prefix(names.layer, number);
  int64_t size = sizes_.hidden, wide = sizes_.intermediate, head = size / sizes_.heads;
  auto square = [&](const std::string& name, SiteRole role) {
    return make.linear(at + name, role, number, {.in = size, .out = size});
  };
  auto norm = [&](const std::string& name) {
    return make.norm(at + name, number, size, {.eps = sizes_.eps});
  };
  auto block = [&](const std::string& adapters, SiteRole role) {
    return make.hidden(at + adapters, at + adapters, role, number);
  };
  return {square(names.query, SiteRole::kQuery),
          square(names.key, SiteRole::kKey),
          square(names.value, SiteRole::kValue),
          square(names.attention_output, SiteRole::kAttentionOutput),
          make.linear(at + names.up, SiteRole::kUp, number, {.in = size, .out = wide}),
          make.linear(at + names.down, SiteRole::kDown, number, {.in = wide, .out = size}),
          norm(names.attention_norm),
          norm(names.output_norm),
          block(names.attention_adapters, SiteRole::kAttentionBlock),
          block(names.output_adapters, SiteRole::kFeedForwardBlock),
          make.hidden(at.substr(0, at.size() - 1), at + "reft_layer.refts", SiteRole::kLayerOutput,
                      number),
          make.attention(at + names.query, number, head,
                         {.heads = sizes_.heads,
                          .kv_heads = sizes_.heads,
                          .scale = 1.0f / std::sqrt(static_cast<float>(head))})};
}

std::unique_ptr<PostNormEncoder::MaskedLm> PostNormEncoder::make_masked_lm(
    WeightSource& weights, const EncoderNames& names) {
  SiteMaker make(weights, sizes_.hidden);
  LinearSite dense = make.linear(names.mlm_dense, SiteRole::kMaskedLm, -1,
                                 {.in = sizes_.hidden, .out = sizes_.hidden});
  NormSite mlm_norm = make.norm(names.mlm_norm, -1, sizes_.hidden, {.eps = sizes_.eps});
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
  SiteMaker make(weights, sizes.hidden);
  word_ = make.embedding(names.word, sizes.vocabulary);
  position_ = make.embedding(names.position, sizes.positions);
  if (!names.type.empty()) type_ = make.embedding(names.type, sizes.types);
  embedding_norm_ = make.norm(names.embedding_norm, -1, sizes.hidden, {.eps = sizes.eps});
  embedded_ = make.hidden(names.word.substr(0, names.word.find('.')), "invertible_adapters",
                          SiteRole::kEmbeddingOutput, -1);
  inputs_ = make.prompt("inputs_embeds", SiteRole::kInputEmbeddings);
  prompt_ = make.prompt("prompt_tuning", SiteRole::kEmbeddingOutput);
  for (int number = 0; number < sizes.layers; ++number)
    layers_.push_back(make_layer(make, names, number));
  if (!names.pooler.empty() && weights.contains(names.pooler + ".weight")) {
    pooler_ =
        make.linear(names.pooler, SiteRole::kPooler, -1, {.in = sizes.hidden, .out = sizes.hidden});
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
  std::array<EmbeddingLookup, 3> lookups{table_lookup(context, word_, batch.ids)};
  std::size_t count = 1;
  if (type_.has_value()) lookups.at(count++) = table_lookup(context, *type_, batch.types);
  lookups.at(count++) = table_lookup(context, position_, batch.positions);
  Variable sum = adapts_tables(context)
                     ? adapted_sum(context, batch)
                     : embedding_sum(context, {lookups.data(), count}, &batch.tokens);
  sum = norm_site(context, embedding_norm_, sum, Variable());
  return prompt_site(context, prompt_, hidden_site(context, embedded_, std::move(sum)));
}

bool PostNormEncoder::adapts_tables(const Context& context) const {
  return has_virtual_tokens(context, inputs_) || has_trained_rows(context, word_) ||
         has_trained_rows(context, position_) ||
         (type_.has_value() && has_trained_rows(context, *type_));
}

Variable PostNormEncoder::adapted_sum(Context& context, const TokenBatch& batch) const {
  Variable sum =
      prompt_site(context, inputs_, table_rows(context, word_, batch.ids, &batch.tokens));
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
    sum = add(context, sum, table_rows(context, table, *context.keep(std::move(numbers)), &rows));
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
                           {x,
                            q,
                            k,
                            v,
                            {layer.key, 0, sizes_.hidden},
                            {layer.value, 0, sizes_.hidden},
                            layer.attention.shape});
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

Variable PostNormEncoder::run_layers(Context& context, Variable x, std::size_t first,
                                     std::size_t last) const {
  for (std::size_t i = first; i < last; ++i) {
    const Layer& layer = layers_[i];
    x = recomputed(context, x, [this, &context, &layer](const Variable& read) {
      return run_layer(context, layer, read);
    });
  }
  return x;
}

Variable PostNormEncoder::encode_first(Context& context, const TokenBatch& batch,
                                       int64_t layers) const {
  context.begin_forward();
  return run_layers(context, embed(context, batch), 0, static_cast<std::size_t>(layers));
}

Variable PostNormEncoder::encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                                      int64_t layers) const {
  Variable x =
      run_layers(context, std::move(hidden), static_cast<std::size_t>(layers), layers_.size());
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
  if (mlm_->tied) return tied_linear_site(context, {word_, &mlm_->bias, mlm_->decoder}, x);
  LinearWeights decoder{.frozen = &mlm_->decoder,
                        .bias = parameter_replacement(context, mlm_->bias)};
  return inlay::linear(context, x, decoder, Precision::kFull);
}

}  // namespace inlay
