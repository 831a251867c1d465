// Gemma: Mesnard et al. 2024, arXiv:2403.08295; Gemma 2: Riviere et al. 2024, arXiv:2408.00118;
// Gemma 3: Kamath et al. 2025, arXiv:2503.19786. Beside Llama: norms that multiply by 1 + w,
// embeddings times sqrt(hidden), which Hugging Face rounds to the type that it computes in and this
// program does not, and which Gemma 3 multiplies the table by and no other rows; from Gemma 2 on,
// norms before and after each part, and layers that take turns in seeing a window.
#include <cmath>

#include "models/family.h"
#include "models/llama_layout.h"

namespace inlay {
namespace {

void describe_gemma(const ModelConfig& config, BaseFacts& facts) {
  const char* bare = is_type(config, "gemma2")        ? "Gemma2Model"
                     : is_type(config, "gemma3_text") ? "Gemma3TextModel"
                                                      : "GemmaModel";
  describe_llama(config, bare, facts);
}

bool even_layers(int64_t layer, int64_t /*pattern*/) { return layer % 2 == 0; }
bool all_but_every(int64_t layer, int64_t pattern) { return (layer + 1) % pattern != 0; }

DecoderNames names_of(const ModelConfig& config) {
  DecoderNames names = llama_names();
  if (is_type(config, "gemma")) return names;
  names.after_attention_norm = "post_attention_layernorm";
  names.feed_forward_norm = "pre_feedforward_layernorm";
  names.after_feed_forward_norm = "post_feedforward_layernorm";
  if (is_type(config, "gemma2")) return names;
  names.query_norm = "self_attn.q_norm";
  names.key_norm = "self_attn.k_norm";
  return names;
}

void add_gemma2(const ModelConfig& config, const BaseFacts& facts, DecoderSizes& sizes) {
  sizes.attention_cap = config.number_or("attn_logit_softcapping", 0, 0, 1e6);
  sizes.logit_cap = config.number_or("final_logit_softcapping", 0, 0, 1e6);
  sizes.windows = layer_windows(config, facts, window_of(config, 4096), even_layers);
}

// Layers with a window have rotary positions of their own.
void add_gemma3(const ModelConfig& config, const BaseFacts& facts, DecoderSizes& sizes) {
  require(!config.boolean_or("use_bidirectional_attention", false), ErrorKind::kInput,
          "{}: use_bidirectional_attention is true; only Gemma 3 that reads from left to right is "
          "supported",
          config.where());
  require(config.has("rope_theta") || config.has("rope_parameters"), ErrorKind::kInput,
          "{}: key \"rope_theta\" (or \"rope_parameters\") is missing", config.where());
  sizes.scaled_table = true;
  sizes.logit_cap = config.number_or("final_logit_softcapping", 0, 0, 1e6);
  int64_t window = window_of(config, 4096);
  require(window > 0, ErrorKind::kInput,
          "{}: sliding_window is 0; Gemma 3 tells its layers apart by their windows",
          config.where());
  sizes.windows = layer_windows(config, facts, window, all_but_every,
                                config.integer_or("sliding_window_pattern", 6, 1, 1024));
  sizes.rotations = {
      read_rotary_frequencies(config, sizes.head_dim, facts.max_tokens, "full_attention"),
      read_rotary_frequencies(config, sizes.head_dim, facts.max_tokens, "sliding_attention")};
  for (int64_t window : sizes.windows) sizes.rotation_of_layer.push_back(window > 0 ? 1 : 0);
}

std::unique_ptr<Model> build_gemma(const ModelConfig& config, const BaseFacts& facts,
                                   const ModelParts& parts, WeightSource& weights) {
  int64_t head_dim = head_channels(config, 256);
  DecoderSizes sizes = llama_sizes(
      config, facts, read_rotary_frequencies(config, head_dim, facts.max_tokens, "full_attention"),
      head_dim);
  sizes.norm.offset = 1;
  sizes.tied = config.boolean_or("tie_word_embeddings", true);
  // "hidden_act" of the first files says "gelu" and means its approximation by tanh.
  sizes.activation =
      parse_activation(config.text_or("hidden_activation", "gelu_pytorch_tanh"), config.where());
  sizes.embedding_scale = std::sqrt(static_cast<double>(facts.hidden));
  sizes.attention_bias = sizes.attention_output_bias = config.boolean_or("attention_bias", false);
  if (!is_type(config, "gemma")) {
    sizes.attention_scale =
        1 / std::sqrt(config.number_or("query_pre_attn_scalar", 256, 1e-6, 1e6));
  }
  if (is_type(config, "gemma2")) add_gemma2(config, facts, sizes);
  if (is_type(config, "gemma3_text")) add_gemma3(config, facts, sizes);
  return std::make_unique<PreNormDecoder>(sizes, names_of(config), parts, weights);
}

}  // namespace

const Family& family_gemma() {
  static const Family family{
      .name = "gemma",
      .model_types = {"gemma", "gemma2", "gemma3_text"},
      .summary = "Gemma 1 to 3 (text): Llama's line with further norms, soft caps and windows.",
      .citation = "arXiv:2408.00118",
      .describe = describe_gemma,
      .build = build_gemma,
      .head_tensors = {"lm_head.", "score.", "qa_outputs."},
      .buffers = {".rotary_emb.inv_freq"}};
  return family;
}

}  // namespace inlay
