// GPT-2: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". Learned
// positions, layer norms, and linear layers whose weights files hold as (in, out).
#include <cmath>

#include "models/families/limits.h"
#include "models/family.h"
#include "models/pre_norm_decoder.h"

namespace inlay {
namespace {

const DecoderNames& gpt2_names() {
  static const DecoderNames names{.prefix = "transformer.",
                                  .word = "wte",
                                  .position = "wpe",
                                  .final_norm = "ln_f",
                                  .layer = "h.{}.",
                                  .query_key_value = "attn.c_attn",
                                  .attention_output = "attn.c_proj",
                                  .up = "mlp.c_fc",
                                  .down = "mlp.c_proj",
                                  .attention_norm = "ln_1",
                                  .feed_forward_norm = "ln_2",
                                  .attention_adapters = "attention_adapters.adapters",
                                  .output_adapters = "output_adapters.adapters"};
  return names;
}

// Variants that some files of the type ask for and that no layer here computes.
void refuse_variants(const ModelConfig& config) {
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
    require(!config.boolean_or(key, false), ErrorKind::kInput,
            "{}: {} is true; GPT-2 with it is not supported", config.where(), key);
  }
}

void describe_gpt2(const ModelConfig& config, BaseFacts& facts) {
  refuse_variants(config);
  facts.prefix = "transformer.";
  facts.bare_class = "GPT2Model";
  facts.causal = true;
  facts.hidden = config.integer_or("n_embd", 768, 1, kMaxSize);
  facts.layers = config.integer_or("n_layer", 12, 1, 1024);
  facts.vocabulary = config.integer("vocab_size", 1, kMaxSize * 8);
  facts.max_tokens = config.integer_or("n_positions", 1024, 1, kMaxSize);
  facts.sequence_head = {.input = HeadInput::kLast, .output = "score", .output_bias = false};
  facts.choice_head = facts.sequence_head;
  facts.token_head = {.input = HeadInput::kTokens, .output = "classifier"};
}

std::unique_ptr<Model> build_gpt2(const ModelConfig& config, const BaseFacts& facts,
                                  const ModelParts& parts, WeightSource& weights) {
  int64_t heads = config.integer_or("n_head", 12, 1, 4096);
  require(facts.hidden % heads == 0, ErrorKind::kInput,
          "{}: {} attention heads do not divide the hidden size {}", config.where(), heads,
          facts.hidden);
  int64_t head_dim = facts.hidden / heads;
  bool scaled = config.boolean_or("scale_attn_weights", true);
  DecoderSizes sizes{.vocabulary = facts.vocabulary,
                     .hidden = facts.hidden,
                     .layers = facts.layers,
                     .heads = heads,
                     .kv_heads = heads,
                     .head_dim = head_dim,
                     .intermediate = config.integer_or("n_inner", 4 * facts.hidden, 1, kMaxSize),
                     .positions = facts.max_tokens,
                     .norm = {.eps = config.number_or("layer_norm_epsilon", 1e-5, 0, 1)},
                     .gated = false,
                     .activation = parse_activation(
                         config.text_or("activation_function", "gelu_new"), config.where()),
                     .attention_bias = true,
                     .attention_output_bias = true,
                     .feed_forward_bias = true,
                     .in_by_out = true,
                     .tied = config.boolean_or("tie_word_embeddings", true),
                     .attention_scale = scaled ? 1 / std::sqrt(static_cast<double>(head_dim)) : 1};
  return std::make_unique<PreNormDecoder>(sizes, gpt2_names(), parts, weights);
}

}  // namespace

const Family& family_gpt2() {
  static const Family family{
      .name = "gpt2",
      .model_types = {"gpt2"},
      .summary = "Decoder with learned positions and layer norms; DistilGPT-2 is one.",
      .citation = "Radford et al. 2019",
      .describe = describe_gpt2,
      .build = build_gpt2,
      .head_tensors = {"lm_head.", "score.", "classifier.", "qa_outputs."},
      .buffers = {".attn.bias", ".attn.masked_bias"}};
  return family;
}

}  // namespace inlay
