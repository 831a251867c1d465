#include "adapters/exchange/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "adapters/exchange/module_names.h"
#include "base/error.h"

namespace inlay::exchange {
namespace {

using Names = std::pair<const char*, const char*>;

// Within a layer: Hugging Face's, llama.cpp's.
constexpr auto kLlama = std::to_array<Names>({
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.up_proj", "ffn_up"},
});
constexpr auto kPhi3 = std::to_array<Names>({
    {"self_attn.qkv_proj", "attn_qkv"},
    {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
});
// GPT-2 keeps its weights as (in, out) at Hugging Face; A and B are as everywhere.
constexpr auto kGpt2 = std::to_array<Names>({
    {"attn.c_attn", "attn_qkv"},
    {"attn.c_proj", "attn_output"},
    {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},
});

struct Architecture {
  const char* model_type;
  const char* name;
  const char* layers;
  std::span<const Names> names;
};

constexpr auto kArchitectures = std::to_array<Architecture>({
    {"llama", "llama", "model.layers", kLlama},
    {"mistral", "llama", "model.layers", kLlama},
    {"qwen2", "qwen2", "model.layers", kLlama},
    {"qwen3", "qwen3", "model.layers", kLlama},
    {"gemma", "gemma", "model.layers", kLlama},
    {"gemma2", "gemma2", "model.layers", kLlama},
    {"gemma3_text", "gemma3", "model.layers", kLlama},
    {"phi3", "phi3", "model.layers", kPhi3},
    {"gpt2", "gpt2", "transformer.h", kGpt2},
});

std::string known_types() {
  std::vector<std::string> types;
  for (const Architecture& architecture : kArchitectures)
    types.emplace_back(architecture.model_type);
  return fmt::format("{}", fmt::join(types, ", "));
}

const Architecture& find_architecture(const std::string& model_type) {
  require(!model_type.empty(), ErrorKind::kUsage,
          "GGUF names the base's architecture; give --model with the base's config.json, or "
          "--model-type: {}",
          known_types());
  const auto* found = std::find_if(
      kArchitectures.begin(), kArchitectures.end(),
      [&](const Architecture& architecture) { return architecture.model_type == model_type; });
  require(found != kArchitectures.end(), ErrorKind::kInput,
          "llama.cpp's names are known for {}, not for a base of type {}", known_types(),
          model_type);
  return *found;
}

}  // namespace

std::string gguf_architecture(const std::string& model_type) {
  return find_architecture(model_type).name;
}

std::optional<std::string> gguf_tensor(const std::string& model_type, const std::string& module) {
  const Architecture& architecture = find_architecture(model_type);
  const std::optional<LayerPlace> place = layer_of(module);
  if (!place.has_value() || place->list != architecture.layers) return std::nullopt;
  for (const auto& [hugging_face, gguf] : architecture.names) {
    if (place->rest == hugging_face) return fmt::format("blk.{}.{}.weight", place->layer, gguf);
  }
  return std::nullopt;
}

}  // namespace inlay::exchange
