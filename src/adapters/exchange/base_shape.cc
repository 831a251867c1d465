#include "adapters/exchange/base_shape.h"

#include "formats/gguf_checkpoint.h"

namespace inlay::exchange {
namespace {

constexpr int64_t kMaxHeads = 4096, kMaxLayers = 9999;

// Known for families that say so or never have them.
std::optional<bool> biases_of(const ModelConfig& config, const std::string& model_type) {
  if (model_type == "mistral") return false;
  if (model_type == "llama")
    return config.boolean_or("attention_bias", false) || config.boolean_or("mlp_bias", false);
  return std::nullopt;
}

}  // namespace

BaseShape read_base_shape(const std::filesystem::path& folder) {
  ModelConfig config = read_model_config(folder);
  BaseShape shape{.model_type = config.text("model_type")};
  std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  shape.model_name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  shape.heads = config.integer_or("num_attention_heads", 0, 1, kMaxHeads);
  shape.kv_heads = config.integer_or("num_key_value_heads", shape.heads, 0, kMaxHeads);
  shape.layers = config.integer_or("num_hidden_layers", 0, 1, kMaxLayers);
  shape.biases = biases_of(config, shape.model_type);
  return shape;
}

}  // namespace inlay::exchange
