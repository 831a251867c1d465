// DistilBERT: Sanh et al. 2019, arXiv:1910.01108. Half of BERT's layers, no token types, no pooler.
#include "models/families/limits.h"
#include "models/family.h"
#include "models/post_norm_encoder.h"

namespace inlay {
namespace {

const EncoderNames& distilbert_names() {
  static const EncoderNames names{.prefix = "distilbert.",
                                  .word = "embeddings.word_embeddings",
                                  .position = "embeddings.position_embeddings",
                                  .embedding_norm = "embeddings.LayerNorm",
                                  .layer = "transformer.layer.{}.",
                                  .query = "attention.q_lin",
                                  .key = "attention.k_lin",
                                  .value = "attention.v_lin",
                                  .attention_output = "attention.out_lin",
                                  .attention_norm = "sa_layer_norm",
                                  .up = "ffn.lin1",
                                  .down = "ffn.lin2",
                                  .output_norm = "output_layer_norm",
                                  .attention_adapters = "attention_adapters.adapters",
                                  .output_adapters = "output_adapters.adapters",
                                  .mlm_dense = "vocab_transform",
                                  .mlm_norm = "vocab_layer_norm",
                                  .mlm_decoder = "vocab_projector",
                                  .mlm_bias = "vocab_projector.bias"};
  return names;
}

void describe_distilbert(const ModelConfig& config, BaseFacts& facts) {
  facts.prefix = "distilbert.";
  facts.bare_class = "DistilBertModel";
  facts.hidden = config.integer_or("dim", 768, 1, kMaxSize);
  facts.layers = config.integer_or("n_layers", 6, 1, 1024);
  facts.vocabulary = config.integer("vocab_size", 1, kMaxSize * 8);
  facts.max_tokens = config.integer_or("max_position_embeddings", 512, 1, kMaxSize);
  facts.sequence_head = {.input = HeadInput::kFirst,
                         .dropout_first = false,
                         .dense = {{"pre_classifier", Activation::kRelu}},
                         .output = "classifier"};
  facts.choice_head = facts.sequence_head;
  facts.token_head = {.input = HeadInput::kTokens, .output = "classifier"};
}

std::unique_ptr<Model> build_distilbert(const ModelConfig& config, const BaseFacts& facts,
                                        const ModelParts& parts, WeightSource& weights) {
  EncoderSizes sizes{
      .vocabulary = facts.vocabulary,
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = config.integer_or("n_heads", 12, 1, 4096),
      .intermediate = config.integer_or("hidden_dim", 3072, 1, kMaxSize),
      .positions = facts.max_tokens,
      .types = 0,
      .eps = 1e-12,
      .activation = parse_activation(config.text_or("activation", "gelu"), config.where())};
  return std::make_unique<PostNormEncoder>(sizes, distilbert_names(), parts, weights);
}

}  // namespace

const Family& family_distilbert() {
  static const Family family{
      .name = "distilbert",
      .model_types = {"distilbert"},
      .summary = "BERT distilled to half its layers, without token types and pooler.",
      .citation = "arXiv:1910.01108",
      .describe = describe_distilbert,
      .build = build_distilbert,
      .head_tensors = {"vocab_transform.", "vocab_layer_norm.", "vocab_projector.",
                       "pre_classifier.", "classifier.", "qa_outputs."}};
  return family;
}

}  // namespace inlay
