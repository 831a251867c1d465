// Phi-3: Abdin et al. 2024, arXiv:2404.14219. Llama with one layer for queries, keys and values,
// and one for the two halves of the gated feed-forward part.
#include "models/family.h"
#include "models/llama_layout.h"

namespace inlay {
namespace {

void describe_phi3(const ModelConfig& config, BaseFacts& facts) {
  describe_llama(config, "Phi3Model", facts);
}

std::unique_ptr<Model> build_phi3(const ModelConfig& config, const BaseFacts& facts,
                                  const ModelParts& parts, WeightSource& weights) {
  int64_t head_dim = head_channels(config);
  DecoderSizes sizes = llama_sizes(
      config, facts, read_rotary_frequencies(config, head_dim, facts.max_tokens), head_dim);
  sizes.norm.eps = config.number_or("rms_norm_eps", 1e-5, 0, 1);
  sizes.windows = layer_windows(config, facts, window_of(config, 0), every_layer);
  DecoderNames names = llama_names();
  names.query = names.key = names.value = names.gate = "";
  names.query_key_value = "self_attn.qkv_proj";
  names.up = "mlp.gate_up_proj";
  return std::make_unique<PreNormDecoder>(sizes, names, parts, weights);
}

}  // namespace

const Family& family_phi3() {
  static const Family family{
      .name = "phi3",
      .model_types = {"phi3"},
      .summary = "Phi-3 and Phi-3.5 mini: Llama's line with joined projections.",
      .citation = "arXiv:2404.14219",
      .describe = describe_phi3,
      .build = build_phi3,
      .head_tensors = {"lm_head.", "score.", "qa_outputs."},
      .buffers = {".rotary_emb.inv_freq"}};
  return family;
}

}  // namespace inlay
