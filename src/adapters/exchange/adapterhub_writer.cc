// Writes AdapterHub's LoRA; adapterhub_reader.cc says how it is laid out.
#include <set>

#include "adapters/adapter_record.h"
#include "adapters/exchange/adapterhub_places.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/heads.h"
#include "adapters/exchange/lora_keys.h"
#include "adapters/exchange/module_names.h"
#include "formats/torch_zip.h"

namespace inlay::exchange {
namespace {

using enum AdapterHubPlace;

constexpr const char* kVersion = "adapters.1.2.0";  // whose layout is written

std::string model_type_for(const LoraAdapter& adapter, const Target& target) {
  std::string type = target.base.model_type.empty() ? adapter.model_type : target.base.model_type;
  if (type.empty()) type = model_type_of(adapter.prefix);
  require(!type.empty(), ErrorKind::kUsage,
          "AdapterHub's files name the type of the base, which the adapter does not tell; give "
          "--model with the base's folder, or --model-type (bert, roberta, llama, ...)");
  require(!adapterhub_class(type).empty(), ErrorKind::kInput,
          "where AdapterHub puts LoRA in models of type {} is not known here", type);
  return type;
}

// Which places are used, and which layers are left out below the highest one.
Json places_json(const LoraAdapter& adapter, const std::string& model_type) {
  std::set<AdapterHubPlace> places;
  std::set<int64_t> layers;
  std::vector<std::string> problems;
  for (const LoraModule& module : adapter.modules) {
    auto at = layer_of(module.name);
    auto place = at.has_value() ? adapterhub_place(model_type, at->rest) : std::nullopt;
    if (!place.has_value()) {
      problems.push_back(module.name);
      continue;
    }
    places.insert(*place);
    layers.insert(at->layer);
  }
  require(problems.empty(), ErrorKind::kInput,
          "{} adapts query, key, value and two layers of the feed-forward network; it has no place "
          "for {}",
          kAdapterHubLora, listed(problems));
  Json matrices = Json::array(), without = Json::array();
  if (places.contains(kQuery)) matrices.push_back("q");
  if (places.contains(kKey)) matrices.push_back("k");
  if (places.contains(kValue)) matrices.push_back("v");
  for (int64_t layer = 0; layer < *layers.rbegin(); ++layer) {
    if (!layers.contains(layer)) without.push_back(layer);
  }
  return {{"selfattn_lora", !matrices.empty()},
          {"attn_matrices", matrices},
          {"intermediate_lora", places.contains(kIntermediate)},
          {"output_lora", places.contains(kOutput)},
          {"leave_out", without}};
}

// In every layer that has any, the same modules.
void fill_present_layers(LoraAdapter& adapter) {
  std::set<int64_t> layers;
  for (const LoraModule& module : adapter.modules) {
    if (auto at = layer_of(module.name)) layers.insert(at->layer);
  }
  for (int64_t layer : layers) fill_layers(adapter, layer, layer, kAdapterHubLora);
}

// The width of the residual stream: what attention and the first feed-forward layer read.
int64_t hidden_size(const LoraAdapter& adapter, const std::string& model_type) {
  const LoraModule& module = adapter.modules.front();
  auto place = adapterhub_place(model_type, layer_of(module.name)->rest);
  bool reads_wide = layer_of(module.name)->rest == "mlp.down_proj" ||
                    (*place == kOutput && layer_of(module.name)->rest != "mlp.up_proj");
  return reads_wide ? module.out() : module.in();
}

void write_tensors(const LoraAdapter& adapter, const Target& target) {
  std::vector<NamedTensor> tensors;
  tensors.reserve(3 * adapter.modules.size());
  for (const LoraModule& module : adapter.modules) {
    std::string stem = module.name + ".loras." + target.name;
    tensors.push_back({stem + ".lora_A", module.a});
    tensors.push_back({stem + ".lora_B", module.b});
    if (module.magnitude.defined())
      tensors.push_back({stem + ".m.weight", module.magnitude.reshaped({module.out(), 1})});
  }
  write_safetensors(target.folder / "adapter.safetensors", tensors, {{"format", "pt"}});
  write_torch(target.folder / "pytorch_adapter.bin", tensors);
}

}  // namespace

void write_adapterhub(LoraAdapter& adapter, const Target& target) {
  refuse_lora_bias(adapter, kAdapterHubLora);
  std::string model_type = model_type_for(adapter, target);
  Json config = foreign_defaults(adapterhub_lora_keys());
  config.update(places_json(adapter, model_type));
  if (adapter.dora()) refuse_biases(target.base.biases, kAdapterHubLora);
  fold_scales(adapter, adapter.dora() ? 1 : usual_scale(adapter), target.rounding, kAdapterHubLora);
  pad_ranks(adapter);
  fill_present_layers(adapter);
  config["r"] = *adapter.common_rank();
  config["alpha"] = plain_number(alpha_for(*adapter.common_scale(), *adapter.common_rank()));
  config["dropout"] = adapter.dropout;
  config["use_dora"] = adapter.dora();
  write_tensors(adapter, target);
  Json about{{"hidden_size", hidden_size(adapter, model_type)},
             {"model_class", adapterhub_class(model_type)},
             {"model_name", adapter.base_name},
             {"model_type", model_type},
             {"name", target.name},
             {"version", kVersion}};
  write_adapterhub_head(adapter, about, target);
  Json whole = about;
  whole["config"] = config;
  if (!adapter.record.is_null()) whole[kRecordKey] = adapter.record;
  write_config(target.folder, whole);
}

}  // namespace inlay::exchange
