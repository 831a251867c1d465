#include "formats/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace inlay {
namespace {

// Hugging Face's, llama.cpp's.
using Names = std::pair<const char*, const char*>;

// Linear layers within a layer.
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
// GPT-2 keeps its weights as (in, out) at Hugging Face; A and B of LoRA are as everywhere.
constexpr auto kGpt2 = std::to_array<Names>({
    {"attn.c_attn", "attn_qkv"},
    {"attn.c_proj", "attn_output"},
    {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},
});

// Norms within a layer.
constexpr auto kTwoNorms = std::to_array<Names>({
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
});
constexpr auto kFourNorms = std::to_array<Names>({
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
});
constexpr auto kGpt2Norms = std::to_array<Names>({
    {"ln_1", "attn_norm"},
    {"ln_2", "ffn_norm"},
});

// Outside the layers.
constexpr auto kOutside = std::to_array<Names>({
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
});
constexpr auto kGpt2Outside = std::to_array<Names>({
    {"transformer.wte", "token_embd"},
    {"transformer.wpe", "position_embd"},
    {"transformer.ln_f", "output_norm"},
    {"lm_head", "output"},
});

struct Architecture {
  const char* model_type;
  const char* name;
  const char* layers;
  std::span<const Names> linear, norms, outside;
};

// Of model types that share an architecture, the first is what a file of it is read as.
constexpr auto kArchitectures = std::to_array<Architecture>({
    {"llama", "llama", "model.layers.", kLlama, kTwoNorms, kOutside},
    {"mistral", "llama", "model.layers.", kLlama, kTwoNorms, kOutside},
    {"qwen2", "qwen2", "model.layers.", kLlama, kTwoNorms, kOutside},
    {"qwen3", "qwen3", "model.layers.", kLlama, kTwoNorms, kOutside},
    {"gemma", "gemma", "model.layers.", kLlama, kTwoNorms, kOutside},
    {"gemma2", "gemma2", "model.layers.", kLlama, kFourNorms, kOutside},
    {"gemma3_text", "gemma3", "model.layers.", kLlama, kFourNorms, kOutside},
    {"phi3", "phi3", "model.layers.", kPhi3, kTwoNorms, kOutside},
    {"gpt2", "gpt2", "transformer.h.", kGpt2, kGpt2Norms, kGpt2Outside},
});
constexpr std::string_view kBlocks = "blk.";

std::string known(const char* Architecture::*field) {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) {
    std::string name = architecture.*field;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

const Architecture& find_architecture(const std::string& model_type) {
  require(!model_type.empty(), ErrorKind::kUsage,
          "GGUF names the base's architecture; give --model with the base's config.json, or "
          "--model-type: {}",
          known(&Architecture::model_type));
  const auto* found = std::find_if(
      kArchitectures.begin(), kArchitectures.end(),
      [&](const Architecture& architecture) { return architecture.model_type == model_type; });
  require(found != kArchitectures.end(), ErrorKind::kInput,
          "llama.cpp's names are known for {}, not for a base of type {}",
          known(&Architecture::model_type), model_type);
  return *found;
}

// "model.layers.11.mlp.up_proj" after "model.layers." as "11" and "mlp.up_proj"; empty for another
// name.
struct InLayer {
  std::string_view number, rest;
};
InLayer in_layer(std::string_view name, std::string_view layers) {
  if (!name.starts_with(layers)) return {};
  name.remove_prefix(layers.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  if (digits == 0 || digits == name.size() || name[digits] != '.') return {};
  return {name.substr(0, digits), name.substr(digits + 1)};
}

enum class To { kGguf, kHuggingFace };

std::optional<std::string> counterpart(std::initializer_list<std::span<const Names>> lists,
                                       std::string_view name, To to) {
  for (std::span<const Names> list : lists) {
    for (const auto& [hugging_face, gguf] : list) {
      if (name == (to == To::kGguf ? hugging_face : gguf))
        return to == To::kGguf ? gguf : hugging_face;
    }
  }
  return std::nullopt;
}

// "model.norm.weight" as "model.norm" and ".weight"; no ending for other parameters.
std::pair<std::string_view, std::string_view> split_ending(std::string_view tensor) {
  for (std::string_view ending : {".weight", ".bias"}) {
    if (tensor.ends_with(ending)) return {tensor.substr(0, tensor.size() - ending.size()), ending};
  }
  return {tensor, ""};
}

std::optional<std::string> renamed(const Architecture& architecture, std::string_view tensor,
                                   To to) {
  const auto [module, ending] = split_ending(tensor);
  if (ending.empty()) return std::nullopt;
  const std::string_view from_layers = to == To::kGguf ? architecture.layers : kBlocks;
  const std::string_view to_layers = to == To::kGguf ? kBlocks : architecture.layers;
  const InLayer place = in_layer(module, from_layers);
  if (!place.rest.empty()) {
    auto found = counterpart({architecture.linear, architecture.norms}, place.rest, to);
    if (!found.has_value()) return std::nullopt;
    return fmt::format("{}{}.{}{}", to_layers, place.number, *found, ending);
  }
  auto found = counterpart({architecture.outside}, module, to);
  if (!found.has_value()) return std::nullopt;
  return fmt::format("{}{}", *found, ending);
}

}  // namespace

std::string gguf_architecture(const std::string& model_type) {
  return find_architecture(model_type).name;
}

std::string gguf_model_type(const std::string& architecture, const std::string& where) {
  for (const Architecture& known_one : kArchitectures) {
    if (architecture == known_one.name) return known_one.model_type;
  }
  fail(ErrorKind::kInput, "{}: the architecture \"{}\" is not supported; supported: {}", where,
       architecture.substr(0, 100), known(&Architecture::name));
}

std::optional<std::string> gguf_tensor(const std::string& model_type, const std::string& module) {
  const Architecture& architecture = find_architecture(model_type);
  const InLayer place = in_layer(module, architecture.layers);
  auto found = counterpart({architecture.linear}, place.rest, To::kGguf);
  if (!found.has_value()) return std::nullopt;
  return fmt::format("{}{}.{}.weight", kBlocks, place.number, *found);
}

std::optional<std::string> gguf_name(const std::string& model_type, const std::string& tensor) {
  return renamed(find_architecture(model_type), tensor, To::kGguf);
}

std::optional<std::string> hugging_face_name(const std::string& model_type,
                                             const std::string& tensor) {
  return renamed(find_architecture(model_type), tensor, To::kHuggingFace);
}

}  // namespace inlay
