// mlx-lm's LoRA and DoRA (mlx_lm/tuner/{lora,dora,utils}.py).
//
//   model.layers.N.<module>.lora_a (in, r)   .lora_b (r, out)   .m (out)
//   y += scale (x a) b          one rank and one scale, a multiplier, for all modules
#include <set>

#include "adapters/adapter_record.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/module_names.h"
#include "adapters/foreign_keys.h"
#include "tensor/transposed.h"

namespace inlay::exchange {
namespace {

constexpr const char* kWeights = "adapters.safetensors";
constexpr const char* kLayers = "model.layers";

const std::vector<ForeignKey>& parameter_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {{"dropout", 0.0, kRead},
                                               {"keys", nullptr, kRead},
                                               {"rank", 8, kRead},
                                               {"scale", 20.0, kRead}};
  return keys;
}

// What is no matrix stays, and is refused by check_modules.
Tensor turned(const Tensor& tensor) {
  return tensor.defined() && tensor.shape().rank() == 2 ? transposed(tensor) : tensor;
}

std::set<std::string> keys_of(const LoraAdapter& adapter) {
  std::set<std::string> keys;
  for (const LoraModule& module : adapter.modules) {
    auto place = layer_of(module.name);
    keys.insert(place.has_value() ? place->rest : module.name);
  }
  return keys;
}

// "keys" names what stands in the file, neither more nor less.
void check_keys(const LoraAdapter& adapter, const Json& parameters, const std::string& where) {
  if (!parameters.contains("keys") || parameters.at("keys").is_null()) return;
  const Json& list = parameters.at("keys");
  require(list.is_array(), ErrorKind::kInput, "{}: \"keys\" is {}; expected a list of names", where,
          list.type_name());
  std::set<std::string> named, present = keys_of(adapter);
  for (const Json& key : list) {
    require(key.is_string(), ErrorKind::kInput, "{}: a key is {}; expected a name", where,
            key.type_name());
    named.insert(key.get<std::string>());
  }
  std::vector<std::string> problems;
  for (const std::string& key : named) {
    if (!present.contains(key)) problems.push_back(key + " has no tensors");
  }
  for (const std::string& key : present) {
    if (!named.contains(key)) problems.push_back(key + " is not in \"keys\"");
  }
  require(problems.empty(), ErrorKind::kInput, "{}: {}", where, listed(problems));
}

void check_names(const LoraAdapter& adapter) {
  std::vector<std::string> problems;
  for (const LoraModule& module : adapter.modules) {
    auto place = layer_of(module.name);
    bool fits = place.has_value() ? place->list == kLayers : module.name == "lm_head";
    if (!fits) problems.push_back(module.name);
  }
  require(problems.empty(), ErrorKind::kInput,
          "mlx-lm has language models with modules model.layers.N...; it has no counterpart of: {}",
          listed(problems));
}

}  // namespace

LoraAdapter read_mlx(const Source& source) {
  const std::string& where = source.where;
  // Older versions have use_dora instead.
  bool old_dora = json_get_or<bool>(source.config, "use_dora", false, where);
  auto type =
      json_get_or<std::string>(source.config, "fine_tune_type", old_dora ? "dora" : "lora", where);
  require(type == "lora" || type == "dora", ErrorKind::kInput,
          "{}: \"fine_tune_type\" is \"{}\"; only lora and dora are adapters", where, type);
  Json parameters = source.config.value("lora_parameters", Json());
  require(parameters.is_object(), ErrorKind::kInput,
          "{}: \"lora_parameters\" is {}; expected an object with rank, scale and keys", where,
          parameters.type_name());
  // "alpha" also multiplies, but only in the oldest versions.
  check_foreign_keys(parameters, parameter_keys(), where + ": lora_parameters");
  auto rank = json_get<int64_t>(parameters, "rank", where);
  auto scale = json_get<double>(parameters, "scale", where);
  LoraAdapter adapter;
  adapter.base_name = json_get_or<std::string>(source.config, "model", "", where);
  adapter.model_type = source.base.model_type;
  adapter.dropout = json_get_or<double>(parameters, "dropout", 0, where);
  if (source.config.contains(kRecordKey)) adapter.record = source.config.at(kRecordKey);

  TensorPile pile = TensorPile::open_first(source.folder, {kWeights});
  std::set<std::string> stems = pile.stems(".lora_a");
  stems.merge(pile.stems(".lora_b"));
  std::vector<std::string> problems;
  for (const std::string& stem : stems) {
    LoraModule module{.name = stem, .scale = scale};
    module.a = turned(pile.take(stem + ".lora_a"));
    module.b = turned(pile.take(stem + ".lora_b"));
    if (type == "dora") module.magnitude = pile.take(stem + ".m");
    adapter.modules.push_back(module);
  }
  pile.finish("mlx-lm's " + std::string(type == "dora" ? "DoRA" : "LoRA"));
  finish_reading(adapter, pile.where());
  for (const LoraModule& module : adapter.modules) {
    if (module.rank() != rank)
      problems.push_back(fmt::format("{} has rank {}", module.name, module.rank()));
  }
  require(problems.empty(), ErrorKind::kInput, "{}: \"rank\" is {}, but {}", where, rank,
          listed(problems));
  check_keys(adapter, parameters, where);
  check_complete(adapter.modules, {}, pile.where());
  return adapter;
}

void write_mlx(LoraAdapter& adapter, const Target& target) {
  refuse_head(adapter, "mlx-lm");
  refuse_lora_bias(adapter, "mlx-lm");
  check_names(adapter);
  fold_scales(adapter, usual_scale(adapter), target.rounding, "mlx-lm");
  pad_ranks(adapter);
  auto [first, last] = layer_range(adapter);
  fill_layers(adapter, first, last, "mlx-lm");

  std::vector<NamedTensor> tensors;
  tensors.reserve(3 * adapter.modules.size());
  for (const LoraModule& module : adapter.modules) {
    tensors.push_back({module.name + ".lora_a", turned(module.a)});
    tensors.push_back({module.name + ".lora_b", turned(module.b)});
    if (module.magnitude.defined()) tensors.push_back({module.name + ".m", module.magnitude});
  }
  write_safetensors(target.folder / kWeights, tensors, {{"format", "mlx"}});
  Json config{{"fine_tune_type", adapter.dora() ? "dora" : "lora"},
              {"model", adapter.base_name},
              {"num_layers", -1},  // all; a module without tensors stays at B = 0
              {"lora_parameters",
               {{"rank", *adapter.common_rank()},
                {"scale", *adapter.common_scale()},
                {"dropout", adapter.dropout},
                {"keys", keys_of(adapter)}}}};
  if (!adapter.record.is_null()) config[kRecordKey] = adapter.record;
  write_config(target.folder, config);
}

}  // namespace inlay::exchange
