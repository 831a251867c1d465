// BERT: Devlin et al. 2018, arXiv:1810.04805. Also MiniLM (Wang et al. 2020, arXiv:2002.10957), the
// same architecture.
#include "models/families/limits.h"
#include "models/family.h"
#include "models/post_norm_encoder.h"

namespace inlay {
namespace {

const EncoderNames& bert_names() {
  static const EncoderNames names{.prefix = "bert.",
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
                                  .mlm_dense = "cls.predictions.transform.dense",
                                  .mlm_norm = "cls.predictions.transform.LayerNorm",
                                  .mlm_decoder = "cls.predictions.decoder",
                                  .mlm_bias = "cls.predictions.bias"};
  return names;
}

void describe_bert(const ModelConfig& config, BaseFacts& facts) {
  require(config.text_or("position_embedding_type", "absolute") == "absolute", ErrorKind::kInput,
          "{}: position_embedding_type \"{}\" is not supported; only \"absolute\" is",
          config.where(), config.text_or("position_embedding_type", "absolute"));
  require(!config.boolean_or("is_decoder", false), ErrorKind::kInput,
          "{}: is_decoder is true; only the encoder is supported", config.where());
  facts.prefix = "bert.";
  facts.bare_class = "BertModel";
  facts.hidden = config.integer("hidden_size", 1, kMaxSize);
  facts.layers = config.integer("num_hidden_layers", 1, 1024);
  facts.vocabulary = config.integer("vocab_size", 1, kMaxSize * 8);
  facts.max_tokens = config.integer_or("max_position_embeddings", 512, 1, kMaxSize);
  facts.type_count = config.integer_or("type_vocab_size", 2, 1, kMaxSize);
  facts.sequence_head = {.input = HeadInput::kPooler, .output = "classifier"};
  facts.token_head = {.input = HeadInput::kTokens, .output = "classifier"};
}

std::unique_ptr<Model> build_bert(const ModelConfig& config, const BaseFacts& facts,
                                  const ModelParts& parts, WeightSource& weights) {
  EncoderSizes sizes{
      .vocabulary = facts.vocabulary,
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = config.integer("num_attention_heads", 1, 4096),
      .intermediate = config.integer("intermediate_size", 1, kMaxSize),
      .positions = facts.max_tokens,
      .types = facts.type_count,
      .eps = config.number_or("layer_norm_eps", 1e-12, 0, 1),
      .activation = parse_activation(config.text_or("hidden_act", "gelu"), config.where())};
  return std::make_unique<PostNormEncoder>(sizes, bert_names(), parts, weights);
}

}  // namespace

const Family& family_bert() {
  static const Family family{
      .name = "bert",
      .model_types = {"bert"},
      .summary = "Bidirectional encoder with token types and a pooler; MiniLM is one.",
      .citation = "arXiv:1810.04805",
      .describe = describe_bert,
      .build = build_bert,
      .head_tensors = {"cls.", "classifier.", "qa_outputs.", "pooler.", "embeddings.position_ids"}};
  return family;
}

}  // namespace inlay
