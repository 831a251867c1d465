#include "adapters/exchange/adapterhub_places.h"

#include <algorithm>
#include <array>

namespace inlay::exchange {
namespace {

using enum AdapterHubPlace;

struct Architecture {
  const char* model_type;
  const char* model_class;
  std::array<const char*, 5> modules;  // in the order of AdapterHubPlace
};

constexpr std::array<const char*, 5> kBertModules = {"attention.self.query", "attention.self.key",
                                                     "attention.self.value", "intermediate.dense",
                                                     "output.dense"};
constexpr std::array<const char*, 5> kLlamaModules = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj", "mlp.up_proj"};

constexpr auto kArchitectures = std::to_array<Architecture>({
    {"bert", "BertAdapterModel", kBertModules},
    {"roberta", "RobertaAdapterModel", kBertModules},
    {"xlm-roberta", "XLMRobertaAdapterModel", kBertModules},
    {"electra", "ElectraAdapterModel", kBertModules},
    {"distilbert",
     "DistilBertAdapterModel",
     {"attention.q_lin", "attention.k_lin", "attention.v_lin", "ffn.lin1", "ffn.lin2"}},
    {"vit",
     "ViTAdapterModel",
     {"attention.attention.query", "attention.attention.key", "attention.attention.value",
      "intermediate.dense", "output.dense"}},
    {"llama", "LlamaAdapterModel", kLlamaModules},
    {"mistral", "MistralAdapterModel", kLlamaModules},
});

const Architecture* architecture_of(std::string_view model_type) {
  const auto* found = std::find_if(
      kArchitectures.begin(), kArchitectures.end(),
      [&](const Architecture& architecture) { return model_type == architecture.model_type; });
  return found == kArchitectures.end() ? nullptr : found;
}

}  // namespace

std::optional<AdapterHubPlace> adapterhub_place(std::string_view model_type,
                                                std::string_view rest) {
  const Architecture* architecture = architecture_of(model_type);
  if (architecture == nullptr) return std::nullopt;
  for (AdapterHubPlace place : {kQuery, kKey, kValue, kIntermediate, kOutput}) {
    if (rest == architecture->modules[static_cast<std::size_t>(place)]) return place;
  }
  return std::nullopt;
}

std::string adapterhub_class(std::string_view model_type) {
  const Architecture* architecture = architecture_of(model_type);
  return architecture == nullptr ? "" : architecture->model_class;
}

}  // namespace inlay::exchange
