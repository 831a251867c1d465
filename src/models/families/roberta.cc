// RoBERTa: Liu et al. 2019, arXiv:1907.11692; XLM-R: Conneau et al. 2019, arXiv:1911.02116. BERT's
// layers without token types worth the name, positions counted from padding_idx + 1, and a
// two-layer classification head on <s>.
#include "models/families/limits.h"
#include "models/family.h"
#include "models/post_norm_encoder.h"

namespace inlay {
namespace {

const EncoderNames& roberta_names() {
  static const EncoderNames names{.prefix = "roberta.",
                                  .word = "embeddings.word_embeddings",
                                  .position = "embeddings.position_embeddings",
                                  .type = "embeddings.token_type_embeddings",
                                  .embedding_norm = "embeddings.LayerNorm",
                                  .layer = "encoder.layer.{}.",
                                  .query = "attention.self.query",
                                  .key = "attention.self.key",
                                  .value = "attention.self.value",
                                  .attention_output = "attention.output.dense",
                                  .attention_norm = "attention.output.LayerNorm",
                                  .up = "intermediate.dense",
                                  .down = "output.dense",
                                  .output_norm = "output.LayerNorm",
                                  .attention_adapters = "attention.output.adapters",
                                  .output_adapters = "output.adapters",
                                  .pooler = "pooler.dense",
                                  .mlm_dense = "lm_head.dense",
                                  .mlm_norm = "lm_head.layer_norm",
                                  .mlm_decoder = "lm_head.decoder",
                                  .mlm_bias = "lm_head.bias"};
  return names;
}

void describe_roberta(const ModelConfig& config, BaseFacts& facts) {
  require(config.text_or("position_embedding_type", "absolute") == "absolute", ErrorKind::kInput,
          "{}: position_embedding_type \"{}\" is not supported; only \"absolute\" is",
          config.where(), config.text_or("position_embedding_type", "absolute"));
  bool multilingual = config.text("model_type") == "xlm-roberta";
  int64_t positions = config.integer_or("max_position_embeddings", 514, 1, kMaxSize);
  facts.prefix = "roberta.";
  facts.bare_class = multilingual ? "XLMRobertaModel" : "RobertaModel";
  facts.hidden = config.integer("hidden_size", 1, kMaxSize);
  facts.layers = config.integer("num_hidden_layers", 1, 1024);
  facts.vocabulary = config.integer("vocab_size", 1, kMaxSize * 8);
  facts.first_position = config.integer_or("pad_token_id", 1, 0, positions - 2) + 1;
  facts.max_tokens = positions - facts.first_position;
  facts.type_count = config.integer_or("type_vocab_size", 1, 1, kMaxSize);
  facts.sequence_head = {.input = HeadInput::kFirst,
                         .dense = {{"classifier.dense", Activation::kTanh}},
                         .output = "classifier.out_proj"};
  facts.token_head = {.input = HeadInput::kTokens, .output = "classifier"};
}

std::unique_ptr<Model> build_roberta(const ModelConfig& config, const BaseFacts& facts,
                                     const ModelParts& parts, WeightSource& weights) {
  EncoderSizes sizes{
      .vocabulary = facts.vocabulary,
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = config.integer("num_attention_heads", 1, 4096),
      .intermediate = config.integer("intermediate_size", 1, kMaxSize),
      .positions = facts.max_tokens + facts.first_position,
      .types = facts.type_count,
      .eps = config.number_or("layer_norm_eps", 1e-5, 0, 1),
      .activation = parse_activation(config.text_or("hidden_act", "gelu"), config.where())};
  return std::make_unique<PostNormEncoder>(sizes, roberta_names(), parts, weights);
}

}  // namespace

const Family& family_roberta() {
  static const Family family{
      .name = "roberta",
      .model_types = {"roberta", "xlm-roberta"},
      .summary = "BERT trained longer, with byte-level BPE; XLM-R is its multilingual form.",
      .citation = "arXiv:1907.11692",
      .describe = describe_roberta,
      .build = build_roberta,
      .head_tensors = {"lm_head.", "classifier.", "qa_outputs.", "pooler.",
                       "embeddings.position_ids"}};
  return family;
}

}  // namespace inlay
