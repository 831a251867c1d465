// Writes PEFT's LoRA; peft_reader.cc says how it is laid out.
#include <algorithm>
#include <cmath>
#include <map>

#include "adapters/adapter_record.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/lora_keys.h"
#include "adapters/exchange/module_names.h"

namespace inlay::exchange {
namespace {

// Module names by what follows the layer's number where every layer of a list has the same, which
// goes with layers_to_transform; whole names otherwise.
void write_targets(const LoraAdapter& adapter, const std::string& prefix, Json& config) {
  std::map<std::string, std::vector<int64_t>> kinds;
  std::vector<std::string> whole;
  whole.reserve(adapter.modules.size());
  bool plain = true;
  for (const LoraModule& module : adapter.modules) {
    std::string name = module.name.substr(prefix.size());
    whole.push_back(name);
    auto place = layer_of(module.name);
    if (place.has_value()) kinds[place->rest].push_back(place->layer);
    // "output.dense" also ends "attention.output.dense", which may be another module.
    plain = plain && (!place.has_value() || place->rest != "output.dense");
  }
  std::vector<std::string> short_names;
  short_names.reserve(adapter.modules.size());
  std::vector<int64_t> layers;
  for (auto& [rest, numbers] : kinds) {
    std::sort(numbers.begin(), numbers.end());
    if (layers.empty()) layers = numbers;
    plain = plain && layers == numbers;
    short_names.push_back(rest);
  }
  for (const LoraModule& module : adapter.modules) {
    if (!layer_of(module.name).has_value())
      short_names.push_back(module.name.substr(prefix.size()));
  }
  config["target_modules"] = plain ? short_names : whole;
  if (plain && !layers.empty()) config["layers_to_transform"] = layers;
}

bool whole_number(double value) { return std::round(value) == value; }

// r, lora_alpha, use_rslora and the patterns that give each module its rank and scale.
void write_scales(const LoraAdapter& adapter, const std::string& prefix, Json& config) {
  int64_t rank = adapter.modules.front().rank();
  double scale = usual_scale(adapter);
  double stabilized = std::round(scale * std::sqrt(static_cast<double>(rank)));
  bool rslora = !whole_number(alpha_for(scale, rank)) && adapter.common_rank().has_value() &&
                adapter.common_scale().has_value() &&
                stabilized / std::sqrt(static_cast<double>(rank)) == scale;
  double alpha = rslora ? stabilized : alpha_for(scale, rank);
  config["r"] = rank;
  config["lora_alpha"] = plain_number(alpha);
  config["use_rslora"] = rslora;
  for (const LoraModule& module : adapter.modules) {
    std::string name = module.name.substr(prefix.size());
    if (module.rank() != rank) config["rank_pattern"][name] = module.rank();
    double here = rslora ? alpha : alpha_for(module.scale, module.rank());
    if (here != alpha) config["alpha_pattern"][name] = plain_number(here);
  }
}

Json config_of(const LoraAdapter& adapter, const std::string& prefix) {
  Json config = foreign_defaults(peft_lora_keys());
  config.erase(kRecordKey);
  write_targets(adapter, prefix, config);
  write_scales(adapter, prefix, config);
  config["base_model_name_or_path"] = adapter.base_name.empty() ? Json() : Json(adapter.base_name);
  config["lora_dropout"] = adapter.dropout;
  config["use_dora"] = adapter.dora();
  config["lora_bias"] = adapter.modules.front().bias.defined();
  config["task_type"] = !adapter.task_type.empty() ? adapter.task_type
                        : adapter.bare             ? "FEATURE_EXTRACTION"
                                                   : "CAUSAL_LM";
  if (!adapter.head.empty()) config["modules_to_save"] = adapter.head_modules;
  if (!adapter.record.is_null()) config[kRecordKey] = adapter.record;
  return config;
}

}  // namespace

void write_peft(LoraAdapter& adapter, const Target& target) {
  if (!adapter.label_numbers.is_null() && adapter.record.is_null()) {
    adapter.notes.push_back("PEFT has no place for the names of the classes: " +
                            adapter.label_numbers.dump(-1, ' ', true));
  }
  if (adapter.foreign_head) refuse_head(adapter, "PEFT");
  std::string prefix = adapter.bare ? adapter.prefix : "";
  std::vector<NamedTensor> tensors;
  tensors.reserve(4 * adapter.modules.size() + adapter.head.size());
  for (const LoraModule& module : adapter.modules) {
    std::string stem = kPeftKeyPrefix + module.name.substr(prefix.size());
    tensors.push_back({stem + ".lora_A.weight", module.a});
    tensors.push_back({stem + ".lora_B.weight", module.b});
    if (module.bias.defined()) tensors.push_back({stem + ".lora_B.bias", module.bias});
    if (module.magnitude.defined())
      tensors.push_back({stem + ".lora_magnitude_vector", module.magnitude});
  }
  for (const NamedTensor& tensor : adapter.head)
    tensors.push_back({kPeftKeyPrefix + tensor.name, tensor.tensor});
  write_safetensors(target.folder / "adapter_model.safetensors", tensors, {{"format", "pt"}});
  Json config = adapter.peft.empty() ? config_of(adapter, prefix) : adapter.peft;
  if (adapter.head.empty()) config["modules_to_save"] = nullptr;
  write_config(target.folder, config);
}

}  // namespace inlay::exchange
