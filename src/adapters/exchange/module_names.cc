#include "adapters/exchange/module_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.h"

namespace inlay::exchange {
namespace {

using Names = std::pair<const char*, const char*>;

constexpr auto kPrefixes = std::to_array<Names>({
    {"bert", "bert."},       {"roberta", "roberta."},       {"xlm-roberta", "roberta."},
    {"electra", "electra."}, {"deberta", "deberta."},       {"deberta-v2", "deberta."},
    {"mpnet", "mpnet."},     {"distilbert", "distilbert."}, {"vit", "vit."},
    {"beit", "beit."},       {"albert", "albert."},         {"gpt2", "transformer."},
    {"llama", "model."},     {"mistral", "model."},         {"qwen2", "model."},
    {"qwen3", "model."},     {"gemma", "model."},           {"gemma2", "model."},
    {"phi3", "model."},
});

// Within a layer, and outside of the layers.
constexpr auto kTorchtune = std::to_array<Names>({
    {"self_attn.q_proj", "attn.q_proj"},
    {"self_attn.k_proj", "attn.k_proj"},
    {"self_attn.v_proj", "attn.v_proj"},
    {"self_attn.o_proj", "attn.output_proj"},
    {"mlp.gate_proj", "mlp.w1"},
    {"mlp.down_proj", "mlp.w2"},
    {"mlp.up_proj", "mlp.w3"},
});
constexpr Names kTorchtuneOutput = {"lm_head", "output"};

bool is_number(const std::string& part) {
  return !part.empty() && part.size() < 5 && std::all_of(part.begin(), part.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

}  // namespace

std::optional<LayerPlace> layer_of(const std::string& name) {
  std::size_t begin = name.find('.');
  while (begin != std::string::npos) {
    std::size_t end = name.find('.', begin + 1);
    if (end == std::string::npos) return std::nullopt;
    std::string part = name.substr(begin + 1, end - begin - 1);
    if (is_number(part))
      return LayerPlace{name.substr(0, begin), std::stoll(part), name.substr(end + 1)};
    begin = end;
  }
  return std::nullopt;
}

std::string base_prefix(const std::string& model_type) {
  for (const auto& [type, prefix] : kPrefixes) {
    if (model_type == type) return prefix;
  }
  return "";
}

std::string prefix_in(const std::string& name) {
  if (name.starts_with("layers.")) return "model.";
  for (const auto& [type, prefix] : kPrefixes) {
    if (name.starts_with(prefix)) return prefix;
  }
  return "";
}

std::string model_type_of(const std::string& prefix) {
  std::string found;
  for (const auto& [type, begin] : kPrefixes) {
    if (prefix != begin) continue;
    if (!found.empty()) return "";
    found = type;
  }
  return found;
}

std::string hugging_face_part(const std::string& part) {
  if (part == kTorchtuneOutput.second) return kTorchtuneOutput.first;
  for (const auto& [hugging_face, torchtune] : kTorchtune) {
    std::string ours = hugging_face, theirs = torchtune;
    if (part == theirs.substr(theirs.rfind('.') + 1)) return ours.substr(ours.rfind('.') + 1);
  }
  return part;
}

std::string to_torchtune(const std::string& name, const std::string& where) {
  if (name == kTorchtuneOutput.first) return kTorchtuneOutput.second;
  std::optional<LayerPlace> place = layer_of(name);
  if (place.has_value() && place->list == "model.layers") {
    for (const auto& [hugging_face, torchtune] : kTorchtune) {
      if (place->rest == hugging_face) return fmt::format("layers.{}.{}", place->layer, torchtune);
    }
  }
  fail(ErrorKind::kInput,
       "{}: torchtune has no counterpart of module {}; it has model.layers.N.self_attn.{{q,k,v,o}}"
       "_proj, model.layers.N.mlp.{{gate,up,down}}_proj and lm_head",
       where, name);
}

std::string from_torchtune(const std::string& name, const std::string& where) {
  if (name == kTorchtuneOutput.second) return kTorchtuneOutput.first;
  // "layers.0.attn.q_proj"
  std::optional<LayerPlace> place = layer_of(name);
  if (place.has_value() && place->list == "layers") {
    for (const auto& [hugging_face, torchtune] : kTorchtune) {
      if (place->rest == torchtune)
        return fmt::format("model.layers.{}.{}", place->layer, hugging_face);
    }
  }
  fail(ErrorKind::kInput,
       "{}: {} is not a module that torchtune adapts: layers.N.attn.{{q_proj,k_proj,v_proj,"
       "output_proj}}, layers.N.mlp.{{w1,w2,w3}} or output",
       where, name);
}

}  // namespace inlay::exchange
