// The configuration in a GGUF file's metadata, as a config.json of Hugging Face. Keys and what
// llama.cpp takes them for: gguf-py's constants.py, llama-model.cpp (load_hparams).
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "formats/gguf_checkpoint.h"
#include "formats/gguf_names.h"

namespace inlay {
namespace {

// Below the architecture's name: what no family computes unless it has this value.
constexpr auto kWithoutEffect = std::to_array<std::pair<const char*, double>>({
    {"attention.scale", 0},
    {"attention.clamp_kqv", 0},
    {"attention.max_alibi_bias", 0},
    {"attention.temperature_scale", 0},
    {"residual_scale", 0},
    {"embedding_scale", 0},
    {"logit_scale", 0},
    {"rope.scale_linear", 1},
    {"rope.scaling.yarn_log_multiplier", 0},
    {"rope.scaling.yarn_ext_factor", 1},
    {"rope.scaling.yarn_attn_factor", 1},
});

// Metadata below the architecture's name.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string where)
      : metadata_(metadata),
        where_(std::move(where)),
        prefix_(metadata.get<std::string>("general.architecture") + ".") {}

  bool has(const std::string& key) const { return metadata_.contains(prefix_ + key); }
  int64_t integer(const std::string& key) const { return metadata_.get<int64_t>(prefix_ + key); }
  int64_t integer_or(const std::string& key, int64_t fallback) const {
    return metadata_.get_or<int64_t>(prefix_ + key, fallback);
  }
  // Finite: JSON, which these become part of, has no other numbers.
  double number(const std::string& key) const {
    const auto value = metadata_.get<double>(prefix_ + key);
    require(std::isfinite(value), ErrorKind::kInput,
            "{}: metadata key \"{}{}\" is {}; expected a finite number", where_, prefix_, key,
            value);
    return value;
  }
  double number_or(const std::string& key, double fallback) const {
    return has(key) ? number(key) : fallback;
  }
  std::string text_or(const std::string& key, const std::string& fallback) const {
    return metadata_.get_or<std::string>(prefix_ + key, fallback);
  }
  // At least 1, for what is divided by.
  int64_t count(const std::string& key) const {
    const int64_t value = integer(key);
    require(value >= 1, ErrorKind::kInput, "{}: metadata key \"{}{}\" is {}; expected 1 or more",
            where_, prefix_, key, value);
    return value;
  }
  // kInput unless a condition on this key holds.
  void expect(bool holds, const std::string& key, const std::string& expected) const {
    require(holds, ErrorKind::kInput,
            "{}: metadata key \"{}{}\" asks for what is not supported; expected {}", where_,
            prefix_, key, expected);
  }
  const std::string& where() const { return where_; }

 private:
  const GgufMetadata& metadata_;
  std::string where_, prefix_;
};

void refuse_other_files(const GgufMetadata& metadata, const std::string& where) {
  const auto type = metadata.get_or<std::string>("general.type", "model");
  require(type == "model", ErrorKind::kInput, "{}: a GGUF file of type \"{}\"; a base is a model{}",
          where, type.substr(0, 40),
          type == "adapter" ? ", and this is to be used beside one" : "");
  require(metadata.get_or<int64_t>("split.count", 1) <= 1, ErrorKind::kInput,
          "{}: one of several parts of a model; join them with llama-gguf-split --merge", where);
}

void refuse_variants(const Keys& keys) {
  for (const char* key : {"expert_count", "nextn_predict_layers"})
    keys.expect(keys.integer_or(key, 0) == 0, key, "0");
  for (const auto& [key, value] : kWithoutEffect)
    keys.expect(keys.number_or(key, value) == value, key, fmt::format("{}", value));
}

int64_t head_channels(const Keys& keys) {
  const int64_t heads = keys.count("attention.head_count");
  const int64_t channels =
      keys.integer_or("attention.key_length", keys.count("embedding_length") / heads);
  keys.expect(keys.integer_or("attention.value_length", channels) == channels,
              "attention.value_length", "what keys have");
  return channels;
}

// ---- rotary positions -------------------------------------------------------------------------

Json factors_in(const GgufFile& file, const char* name) {
  const Tensor factors = file.tensor(name).to(DType::kF32);
  const auto* values = factors.data<float>();
  return std::vector<double>(values, values + factors.count());
}

// Factors of each pair of channels are what "longrope" has; these serve texts of any length.
Json by_factors(const GgufFile& file, const Keys& keys) {
  const Json factors = factors_in(file, "rope_freqs.weight");
  return {{"rope_type", "longrope"},
          {"short_factor", factors},
          {"long_factor", factors},
          {"attention_factor", 1.0},
          {"original_max_position_embeddings", keys.integer("context_length")}};
}

Json longrope(const GgufFile& file, const Keys& keys) {
  return {
      {"rope_type", "longrope"},
      {"short_factor", factors_in(file, "rope_factors_short.weight")},
      {"long_factor", factors_in(file, "rope_factors_long.weight")},
      {"attention_factor", keys.number_or("rope.scaling.attn_factor", 1)},
      {"original_max_position_embeddings", keys.integer("rope.scaling.original_context_length")}};
}

Json yarn(const Keys& keys) {
  return {
      {"rope_type", "yarn"},
      {"factor", keys.number("rope.scaling.factor")},
      {"beta_fast", keys.number_or("rope.scaling.yarn_beta_fast", 32)},
      {"beta_slow", keys.number_or("rope.scaling.yarn_beta_slow", 1)},
      {"original_max_position_embeddings", keys.integer("rope.scaling.original_context_length")}};
}

Json rope_scaling(const GgufFile& file, const Keys& keys) {
  if (file.contains("rope_factors_long.weight")) return longrope(file, keys);
  keys.expect(keys.number_or("rope.scaling.attn_factor", 1) == 1, "rope.scaling.attn_factor", "1");
  // Without a type a factor is that of "linear", and 0 is none.
  const double factor = keys.number_or("rope.scaling.factor", 0);
  const std::string type = keys.text_or("rope.scaling.type", factor > 0 ? "linear" : "none");
  if (file.contains("rope_freqs.weight")) {
    keys.expect(type == "none", "rope.scaling.type", "none beside the tensor rope_freqs.weight");
    return by_factors(file, keys);
  }
  if (type == "yarn") return yarn(keys);
  keys.expect(type == "none" || type == "linear", "rope.scaling.type", "none, linear or yarn");
  if (type == "none") return nullptr;
  return {{"rope_type", "linear"}, {"factor", keys.number("rope.scaling.factor")}};
}

void add_rope(const GgufFile& file, const Keys& keys, int64_t head_dim, Json& config) {
  config["rope_theta"] = keys.number_or("rope.freq_base", 10000);
  config["rope_scaling"] = rope_scaling(file, keys);
  const int64_t turned = keys.integer_or("rope.dimension_count", head_dim);
  if (turned == head_dim) return;
  keys.expect(config["model_type"] != "llama", "rope.dimension_count", "all channels of a head");
  config["partial_rotary_factor"] =
      static_cast<double>(turned) / static_cast<double>(std::max<int64_t>(head_dim, 1));
}

// ---- architectures ----------------------------------------------------------------------------

// llama.cpp scales attention of the largest ones, told by their layers, by hidden / heads.
double attention_scalar(const Keys& keys, int64_t layers_of_largest, int64_t head_dim) {
  if (keys.integer("block_count") != layers_of_largest) return static_cast<double>(head_dim);
  return static_cast<double>(keys.count("embedding_length") / keys.count("attention.head_count"));
}

void add_gemma2(const Keys& keys, int64_t head_dim, Json& config) {
  config["sliding_window"] = keys.integer_or("attention.sliding_window", 4096);
  keys.expect(keys.integer_or("attention.sliding_window_pattern", 2) == 2,
              "attention.sliding_window_pattern", "2");
  config["attn_logit_softcapping"] = keys.number("attn_logit_softcapping");
  config["final_logit_softcapping"] = keys.number("final_logit_softcapping");
  config["query_pre_attn_scalar"] = attention_scalar(keys, 46, head_dim);
}

void add_gemma3(const Keys& keys, int64_t head_dim, Json& config) {
  config["sliding_window"] = keys.integer("attention.sliding_window");
  config["sliding_window_pattern"] = keys.integer_or("attention.sliding_window_pattern", 6);
  config["rope_local_base_freq"] = keys.number_or("rope.freq_base_swa", 10000);
  config["query_pre_attn_scalar"] = attention_scalar(keys, 62, head_dim);
  keys.expect(keys.number_or("final_logit_softcapping", 0) == 0, "final_logit_softcapping", "0");
}

Json llama_line(const GgufFile& file, const Keys& keys, const std::string& type) {
  const int64_t head_dim = head_channels(keys), heads = keys.integer("attention.head_count");
  Json config{{"model_type", type},
              {"hidden_size", keys.integer("embedding_length")},
              {"num_hidden_layers", keys.integer("block_count")},
              {"num_attention_heads", heads},
              {"num_key_value_heads", keys.integer_or("attention.head_count_kv", heads)},
              {"head_dim", head_dim},
              {"intermediate_size", keys.integer("feed_forward_length")},
              {"max_position_embeddings", keys.integer("context_length")},
              {"rms_norm_eps", keys.number("attention.layer_norm_rms_epsilon")},
              {"attention_bias", file.contains("blk.0.attn_q.bias")},
              {"mlp_bias", file.contains("blk.0.ffn_up.bias")}};
  add_rope(file, keys, head_dim, config);
  if (type == "gemma2") {
    add_gemma2(keys, head_dim, config);
  } else if (type == "gemma3_text") {
    add_gemma3(keys, head_dim, config);
  } else if (type == "phi3") {
    config["sliding_window"] = keys.integer_or("attention.sliding_window", 0);
  } else {
    const int64_t window = keys.integer_or("attention.sliding_window", 0);
    keys.expect(window == 0 || window >= keys.integer("context_length"), "attention.sliding_window",
                "0");
  }
  return config;
}

Json gpt2(const Keys& keys) {
  return {{"model_type", "gpt2"},
          {"n_embd", keys.integer("embedding_length")},
          {"n_layer", keys.integer("block_count")},
          {"n_head", keys.integer("attention.head_count")},
          {"n_inner", keys.integer("feed_forward_length")},
          {"n_positions", keys.integer("context_length")},
          {"layer_norm_epsilon", keys.number("attention.layer_norm_epsilon")}};
}

}  // namespace

ModelConfig read_gguf_config(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  const std::string where = metadata.where();
  refuse_other_files(metadata, where);
  const std::string type =
      gguf_model_type(metadata.get<std::string>("general.architecture"), where);
  const Keys keys(metadata, where);
  refuse_variants(keys);
  Json config = type == "gpt2" ? gpt2(keys) : llama_line(file, keys, type);
  const std::vector<int64_t>& table = file.info("token_embd.weight").sizes;
  require(table.size() == 2, ErrorKind::kInput,
          "{}: tensor \"token_embd.weight\" has {} dimensions; expected 2", where, table.size());
  config["vocab_size"] = table[0];
  config["tie_word_embeddings"] = !file.contains("output.weight");
  return ModelConfig::parse(config.dump(), where);
}

}  // namespace inlay
