// The encoder that BERT, RoBERTa and DistilBERT share: embeddings, then layers of self-attention
// and a feed-forward part, each followed by addition of its input and layer normalisation (Devlin
// et al. 2018; Vaswani et al. 2017, section 3.1). A family gives sizes and names; everything that
// runs is here.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "autograd/ops/activation.h"
#include "autograd/ops/embedding.h"
#include "models/model.h"
#include "models/site_maker.h"

namespace inlay {

// Module names below the family's prefix; "{}" in `layer` is the layer's number.
struct EncoderNames {
  std::string prefix;                                // "bert."
  std::string word, position, type, embedding_norm;  // `type` empty: no token types
  std::string layer;                                 // "encoder.layer.{}."
  std::string query, key, value, attention_output, attention_norm, up, down, output_norm;
  std::string attention_adapters, output_adapters;         // where AdapterHub keeps bottlenecks
  std::string pooler;                                      // empty: the family has none
  std::string mlm_dense, mlm_norm, mlm_decoder, mlm_bias;  // with their own prefixes
};

struct EncoderSizes {
  int64_t vocabulary, hidden, layers, heads, intermediate, positions, types;
  double eps = 1e-12;
  Activation activation = Activation::kGelu;
};

class PostNormEncoder : public Model {
 public:
  PostNormEncoder(const EncoderSizes& sizes, const EncoderNames& names, ModelParts parts,
                  WeightSource& weights);

  Variable encode_first(Context& context, const TokenBatch& batch, int64_t layers) const override;
  Variable encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                       int64_t layers) const override;
  std::vector<Variable> encode_several(Context& context, std::span<const AdaptedBatch> asked,
                                       SharedWork& work) const override;
  bool has_pooler() const override { return pooler_.has_value(); }
  Variable pooled(Context& context, const Variable& hidden, const TokenBatch& batch) const override;
  bool has_masked_lm() const override { return mlm_ != nullptr; }
  Variable masked_lm_logits(Context& context, const Variable& rows) const override;

 private:
  struct Layer {
    LinearSite query, key, value, attention_output, up, down;
    NormSite attention_norm, output_norm;
    HiddenSite attention_block, feed_forward_block, whole;
    SelfAttentionSite attention;
  };
  struct MaskedLm {
    LinearSite dense;
    NormSite norm;
    FrozenWeight decoder;
    Site bias;  // a bare parameter
    bool tied;  // the decoder's weight is the word table
  };

  Layer make_layer(SiteMaker& make, const EncoderNames& names, int number) const;
  std::unique_ptr<MaskedLm> make_masked_lm(WeightSource& weights, const EncoderNames& names);
  void register_sites();
  // What embed() runs, and what run_layer() does for this layer.
  std::vector<const Site*> embedding_sites() const;
  std::vector<const Site*> sites_of_layer(int layer) const;

  Variable embed(Context& context, const TokenBatch& batch) const;
  // The same, table by table, where adapters set virtual tokens among the word embeddings or train
  // rows of a table.
  bool adapts_tables(const Context& context) const;
  Variable adapted_sum(Context& context, const TokenBatch& batch) const;
  Variable run_layer(Context& context, const Layer& layer, const Variable& x) const;
  Variable run_layers(Context& context, Variable x, std::size_t first, std::size_t last) const;

  EncoderSizes sizes_;
  EmbeddingSite word_, position_;
  std::optional<EmbeddingSite> type_;
  NormSite embedding_norm_;
  PromptSite inputs_;    // word embeddings, as PEFT prompts them
  PromptSite prompt_;    // the first layer's input, as AdapterHub does
  HiddenSite embedded_;  // what the first layer reads
  std::deque<Layer> layers_;
  std::optional<LinearSite> pooler_;
  std::unique_ptr<MaskedLm> mlm_;
};

}  // namespace inlay
