#include "models/llama_layout.h"

#include <cmath>

namespace inlay {
namespace {

constexpr int64_t kMaxSize = 1 << 20;
constexpr int64_t kMaxPositions = 1 << 24;
constexpr int64_t kMaxHeads = 4096;

bool is_sliding(const Json& type, const std::string& where) {
  bool sliding = type == "sliding_attention";
  require(sliding || type == "full_attention", ErrorKind::kInput,
          "{}: layer_types holds {}; expected \"full_attention\" or \"sliding_attention\"", where,
          type.dump());
  return sliding;
}

}  // namespace

DecoderNames llama_names() {
  return {.prefix = "model.",
          .word = "embed_tokens",
          .final_norm = "norm",
          .layer = "layers.{}.",
          .query = "self_attn.q_proj",
          .key = "self_attn.k_proj",
          .value = "self_attn.v_proj",
          .attention_output = "self_attn.o_proj",
          .gate = "mlp.gate_proj",
          .up = "mlp.up_proj",
          .down = "mlp.down_proj",
          .attention_norm = "input_layernorm",
          .feed_forward_norm = "post_attention_layernorm",
          .attention_adapters = "attention_adapters.adapters",
          .output_adapters = "output_adapters.adapters"};
}

void describe_llama(const ModelConfig& config, const std::string& bare_class, BaseFacts& facts) {
  facts.prefix = "model.";
  facts.bare_class = bare_class;
  facts.causal = true;
  facts.hidden = config.integer("hidden_size", 1, kMaxSize);
  facts.layers = config.integer("num_hidden_layers", 1, 1024);
  facts.vocabulary = config.integer("vocab_size", 1, kMaxSize * 8);
  facts.max_tokens = config.integer_or("max_position_embeddings", 2048, 1, kMaxPositions);
  facts.sequence_head = {.input = HeadInput::kLast, .output = "score", .output_bias = false};
  facts.choice_head = facts.sequence_head;
  facts.token_head = {.input = HeadInput::kTokens, .output = "score"};
}

bool is_type(const ModelConfig& config, std::string_view type) {
  return config.text("model_type") == type;
}

int64_t window_of(const ModelConfig& config, int64_t fallback) {
  return config.integer_or("sliding_window", fallback, 0, kMaxPositions);
}

bool every_layer(int64_t /*layer*/, int64_t /*pattern*/) { return true; }

int64_t head_channels(const ModelConfig& config, int64_t fallback) {
  int64_t hidden = config.integer("hidden_size", 1, kMaxSize);
  int64_t heads = config.integer("num_attention_heads", 1, kMaxHeads);
  if (fallback == 0 && !config.has("head_dim")) {
    require(hidden % heads == 0, ErrorKind::kInput,
            "{}: {} attention heads do not divide the hidden size {}, and there is no head_dim",
            config.where(), heads, hidden);
    fallback = hidden / heads;
  }
  return config.integer_or("head_dim", fallback, 1, kMaxSize);
}

DecoderSizes llama_sizes(const ModelConfig& config, const BaseFacts& facts,
                         const RotaryFrequencies& rotation, int64_t head_dim) {
  int64_t heads = config.integer("num_attention_heads", 1, kMaxHeads);
  return {
      .vocabulary = facts.vocabulary,
      .hidden = facts.hidden,
      .layers = facts.layers,
      .heads = heads,
      .kv_heads = config.integer_or("num_key_value_heads", heads, 1, kMaxHeads),
      .head_dim = head_dim,
      .intermediate = config.integer("intermediate_size", 1, kMaxSize),
      .norm = {.kind = NormKind::kRootSquare, .eps = config.number_or("rms_norm_eps", 1e-6, 0, 1)},
      .activation = parse_activation(config.text_or("hidden_act", "silu"), config.where()),
      .tied = config.boolean_or("tie_word_embeddings", false),
      .attention_scale = 1 / std::sqrt(static_cast<double>(head_dim)),
      .rotations = {rotation}};
}

std::vector<int64_t> layer_windows(const ModelConfig& config, const BaseFacts& facts,
                                   int64_t window, bool (*slides)(int64_t layer, int64_t pattern),
                                   int64_t pattern) {
  std::vector<int64_t> windows(static_cast<std::size_t>(facts.layers));
  const Json* types = config.has("layer_types") ? &config.json().at("layer_types") : nullptr;
  require(types == nullptr || (types->is_array() && types->size() == windows.size()),
          ErrorKind::kInput, "{}: layer_types is no list of {} layers", config.where(),
          facts.layers);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    bool sliding = types != nullptr ? is_sliding((*types)[i], config.where())
                                    : slides(static_cast<int64_t>(i), pattern);
    windows[i] = sliding ? window : 0;
  }
  return windows;
}

}  // namespace inlay
