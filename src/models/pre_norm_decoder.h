// The decoder that Llama's line and GPT-2 share: embeddings, then layers of causal self-attention
// and a feed-forward part, each reading a normalised copy of the residual stream and adding to it
// (Radford et al. 2019, section 2.3; Touvron et al. 2023, arXiv:2302.13971, section 2.2). A family
// gives sizes and names; everything that runs is here.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autograd/ops/activation.h"
#include "autograd/ops/projected_cross_entropy.h"
#include "models/model.h"
#include "models/rotary_positions.h"
#include "models/site_maker.h"

namespace inlay {

// Module names below the family's prefix; "{}" in `layer` is the layer's number. An empty name is a
// module that the family lacks.
struct DecoderNames {
  std::string prefix;                      // "model."
  std::string word, position, final_norm;  // `position` empty: positions are rotary
  std::string layer;                       // "layers.{}."
  std::string query, key, value;           // or, in one layer,
  std::string query_key_value;
  std::string attention_output, query_norm, key_norm;
  std::string gate, up, down;  // `gate` empty: not gated, or the first half of `up`
  std::string attention_norm, feed_forward_norm;
  std::string after_attention_norm, after_feed_forward_norm;  // before the residual is added to
  std::string attention_adapters, output_adapters;            // where AdapterHub keeps bottlenecks
  std::string projection = "lm_head";
};

struct DecoderSizes {
  int64_t vocabulary, hidden, layers, heads, kv_heads, head_dim, intermediate;
  int64_t positions = 0;  // rows of the position table
  NormForm norm;
  bool gated = true;
  Activation activation = Activation::kSilu;
  bool attention_bias = false, attention_output_bias = false, feed_forward_bias = false;
  bool in_by_out = false;  // linear layers are GPT-2's Conv1D
  bool tied = false;       // the output projection is the word table
  double embedding_scale = 1;
  bool scaled_table =
      false;  // that scale is of the word table alone, not of virtual rows beside it
  double attention_scale = 1;
  double attention_cap = 0, logit_cap = 0;  // soft caps; 0: none
  std::vector<int64_t> windows;             // of each layer; 0: all of the text
  // How positions turn, and which of these each layer takes; empty: no rotary positions.
  std::vector<RotaryFrequencies> rotations;
  std::vector<std::size_t> rotation_of_layer;
};

class PreNormDecoder : public Model {
 public:
  PreNormDecoder(const DecoderSizes& sizes, const DecoderNames& names, ModelParts parts,
                 WeightSource& weights);

  // After the final norm.
  Variable encode_first(Context& context, const TokenBatch& batch, int64_t layers) const override;
  Variable encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                       int64_t layers) const override;
  std::vector<Variable> encode_several(Context& context, std::span<const AdaptedBatch> asked,
                                       SharedWork& work) const override;
  bool has_language_model() const override { return projection_ != nullptr; }
  Variable continue_from(Context& context, const TokenBatch& batch,
                         KeyValueCache& cache) const override;
  // What the configuration comes down to: two bases of equal sizes compute the same.
  const DecoderSizes& sizes() const { return sizes_; }
  Variable next_token_logits(Context& context, const Variable& rows) const override;
  Variable next_token_loss(Context& context, const Variable& rows,
                           const std::vector<int32_t>& targets, double normalizer) const override;

 private:
  struct Layer {
    std::deque<LinearSite> attention_inputs;  // query, key and value, or one for all three
    LinearSite attention_output;
    std::optional<LinearSite> gate;
    LinearSite up, down;
    NormSite attention_norm, feed_forward_norm;
    std::optional<NormSite> query_norm, key_norm, after_attention_norm, after_feed_forward_norm;
    HiddenSite attention_block, feed_forward_block, whole;
    SelfAttentionSite attention;
    std::size_t rotation = 0;
  };
  // The output projection: of its own, or the word table. Packed whole where logits are wanted, in
  // pieces where the loss alone is.
  struct Projection {
    LinearSite whole;
    VocabularyProjection pieces;
  };
  struct Attended {
    Variable query, key, value;
  };
  // What the layers of one pass share: where rows stand, and what was read before them.
  struct Pass {
    std::vector<Rotation> rotations;
    KeyValueCache* cache = nullptr;  // null: nothing
  };

  Layer make_layer(SiteMaker& make, const DecoderNames& names, int number) const;
  std::deque<LinearSite> make_attention_inputs(SiteMaker& make, const DecoderNames& names,
                                               int number) const;
  SelfAttentionSite make_attention(SiteMaker& make, const DecoderNames& names, int number) const;
  void make_projection(WeightSource& weights, const DecoderNames& names);
  void register_sites();
  void register_layer(Layer& layer);
  std::vector<const Site*> embedding_sites() const;
  std::vector<const Site*> sites_of_layer(int layer) const;

  Variable run_layers(Context& context, Variable x, std::size_t first, std::size_t last,
                      KeyValueCache* cache) const;
  Variable embed(Context& context, const TokenBatch& batch, KeyValueCache* cache) const;
  // Positions go on from what the cache has counted of each example.
  Variable with_positions(Context& context, Variable words, KeyValueCache* cache) const;
  Pass pass_over(Context& context, const RowSpace& rows, KeyValueCache* cache) const;
  Variable run_layer(Context& context, const Layer& layer, const Variable& x,
                     const Pass& pass) const;
  Variable attend(Context& context, const Layer& layer, const Variable& x, const Pass& pass) const;
  // Attention of queries to what the cache has and to these, sequence by sequence.
  Variable attend_cached(Context& context, const Layer& layer, const AttentionBlock& block,
                         KeyValueCache& cache) const;
  Attended project(Context& context, const Layer& layer, const Variable& x, const Pass& pass) const;
  Variable feed_forward(Context& context, const Layer& layer, const Variable& x) const;
  // Rows of the texts' own tokens.
  Variable finish(Context& context, const Variable& x, const TokenBatch& batch) const;
  bool adapts_projection(const Context& context) const;

  DecoderSizes sizes_;
  EmbeddingSite word_;
  std::optional<EmbeddingSite> position_;
  std::vector<RotaryPositions> rotary_;
  NormSite final_norm_;
  PromptSite inputs_;    // word embeddings, as PEFT prompts them
  PromptSite prompt_;    // the first layer's input, as AdapterHub does
  HiddenSite embedded_;  // what the first layer reads
  std::deque<Layer> layers_;
  std::unique_ptr<Projection> projection_;
};

}  // namespace inlay
