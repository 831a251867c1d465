// Llama: Touvron et al. 2023, arXiv:2302.13971; Grattafiori et al. 2024, arXiv:2407.21783. Of the
// same architecture but for biases, norms of queries and keys, and windows: SmolLM2 (Allal et al.
// 2025, arXiv:2502.02737), Mistral (Jiang et al. 2023, arXiv:2310.06825), Qwen2 (Yang et al. 2024,
// arXiv:2407.10671) and Qwen3 (Yang et al. 2025, arXiv:2505.09388).
#include "models/family.h"
#include "models/llama_layout.h"

namespace inlay {
namespace {

constexpr int64_t kMaxLayers = 1024;

void describe_llama(const ModelConfig& config, BaseFacts& facts) {
  const char* bare = is_type(config, "mistral") ? "MistralModel"
                     : is_type(config, "qwen2") ? "Qwen2Model"
                     : is_type(config, "qwen3") ? "Qwen3Model"
                                                : "LlamaModel";
  describe_llama(config, bare, facts);
}

int64_t head_dim_of(const ModelConfig& config) {
  return head_channels(config, is_type(config, "qwen3") ? 128 : 0);
}

bool from_pattern_on(int64_t layer, int64_t pattern) { return layer >= pattern; }

std::vector<int64_t> windows_of(const ModelConfig& config, const BaseFacts& facts) {
  bool named = config.json().contains("sliding_window");
  if (is_type(config, "mistral")) {
    // Null means none; files without the key are of before there was another value.
    int64_t usual = named ? 0 : 4096;
    return layer_windows(config, facts, window_of(config, usual), every_layer);
  }
  if (!config.boolean_or("use_sliding_window", false)) return {};
  return layer_windows(config, facts, window_of(config, 4096), from_pattern_on,
                       config.integer_or("max_window_layers", 28, 0, kMaxLayers));
}

std::unique_ptr<Model> build_llama(const ModelConfig& config, const BaseFacts& facts,
                                   const ModelParts& parts, WeightSource& weights) {
  int64_t head_dim = head_dim_of(config);
  DecoderSizes sizes = llama_sizes(
      config, facts, read_rotary_frequencies(config, head_dim, facts.max_tokens), head_dim);
  bool qwen2 = is_type(config, "qwen2");
  sizes.attention_bias = qwen2 || config.boolean_or("attention_bias", false);
  sizes.attention_output_bias = !qwen2 && sizes.attention_bias;
  sizes.feed_forward_bias = config.boolean_or("mlp_bias", false);
  sizes.windows = windows_of(config, facts);
  DecoderNames names = llama_names();
  if (is_type(config, "qwen3")) {
    names.query_norm = "self_attn.q_norm";
    names.key_norm = "self_attn.k_norm";
  }
  return std::make_unique<PreNormDecoder>(sizes, names, parts, weights);
}

}  // namespace

const Family& family_llama() {
  static const Family family{
      .name = "llama",
      .model_types = {"llama", "mistral", "qwen2", "qwen3"},
      .summary =
          "Decoder with rotary positions and gated feed-forward parts: Llama 2 and 3, "
          "SmolLM2, Mistral, Qwen2, Qwen2.5, Qwen3.",
      .citation = "arXiv:2302.13971",
      .describe = describe_llama,
      .build = build_llama,
      .head_tensors = {"lm_head.", "score.", "qa_outputs."},
      .buffers = {".rotary_emb.inv_freq"}};
  return family;
}

}  // namespace inlay
