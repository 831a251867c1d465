// Reads AdapterHub's LoRA (src/adapters/methods/lora.py, loading.py), for models with separate
// query, key and value.
//
//   <module>.loras.<name>.lora_A (r, in)   .lora_B (out, r)   .m.weight (out, 1) with use_dora
//   LoRA   y = W x + b + (alpha / r) B A x
//   DoRA   y = m / |W + B A| (W x + b + (alpha / r) B A x)
//
// Its DoRA is the paper's only where alpha = r and the layer has no bias.
#include <algorithm>
#include <set>

#include "adapters/adapter_record.h"
#include "adapters/exchange/adapterhub_places.h"
#include "adapters/exchange/adapterhub_version.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/heads.h"
#include "adapters/exchange/lora_keys.h"
#include "adapters/exchange/module_names.h"

namespace inlay::exchange {
namespace {

using enum AdapterHubPlace;

// Library versions before 1.1.0 trained and applied LoRA without alpha (pull request 770).
double scale_of(const Json& config, int64_t rank, const std::string& version,
                const std::string& where, LoraAdapter& adapter) {
  auto alpha = json_get<double>(config, "alpha", where);
  auto r = static_cast<double>(rank);
  if (alpha != r && before_1_1_0(version)) {
    adapter.notes.push_back(
        fmt::format("alpha is {} in the file, but version {} ignored it: taken to be r, {}", alpha,
                    version, rank));
    alpha = r;
  }
  return alpha / r;
}

std::set<AdapterHubPlace> places_of(const Json& config, const std::string& where) {
  std::set<AdapterHubPlace> places;
  if (json_get_or<bool>(config, "selfattn_lora", true, where)) {
    for (const Json& matrix : config.value("attn_matrices", Json::array({"q", "v"}))) {
      bool known = matrix == "q" || matrix == "k" || matrix == "v";
      require(known, ErrorKind::kInput, "{}: \"attn_matrices\" has {}; expected q, k or v", where,
              matrix.dump(-1, ' ', true).substr(0, 80));
      places.insert(matrix == "q" ? kQuery : matrix == "k" ? kKey : kValue);
    }
  }
  if (json_get_or<bool>(config, "intermediate_lora", false, where)) places.insert(kIntermediate);
  if (json_get_or<bool>(config, "output_lora", false, where)) places.insert(kOutput);
  return places;
}

std::vector<int64_t> left_out(const Json& config, const std::string& where) {
  Json list = config.value("leave_out", Json::array());
  std::vector<int64_t> layers;
  layers.reserve(list.size());
  for (const Json& layer : list) {
    require(layer.is_number_integer(), ErrorKind::kInput,
            "{}: \"leave_out\" has {}; expected layer numbers", where, layer.type_name());
    layers.push_back(layer.get<int64_t>());
  }
  return layers;
}

// Query, key and value in one matrix have an adapter of another shape and a grouped product.
void refuse_fused(const LoraAdapter& adapter, const std::string& where) {
  std::vector<std::string> fused;
  for (const LoraModule& module : adapter.modules) {
    for (const char* end : {".c_attn", ".in_proj", ".query_key_value", ".qkv_proj"}) {
      if (module.name.ends_with(end)) fused.push_back(module.name);
    }
  }
  require(
      fused.empty(), ErrorKind::kInput,
      "{}: query, key and value are one matrix in {}; AdapterHub's LoRA of such a matrix has no "
      "counterpart in another format",
      where, listed(fused));
}

// The modules are exactly those that the configuration names.
void check_places(const LoraAdapter& adapter, const Json& config, const std::string& where) {
  std::set<AdapterHubPlace> wanted = places_of(config, where), present;
  std::vector<int64_t> without = left_out(config, where);
  std::vector<std::string> problems;
  for (const LoraModule& module : adapter.modules) {
    auto at = layer_of(module.name);
    auto place = at.has_value() ? adapterhub_place(adapter.model_type, at->rest) : std::nullopt;
    bool named = place.has_value() && wanted.contains(*place) &&
                 std::find(without.begin(), without.end(), at->layer) == without.end();
    if (named) present.insert(*place);
    if (!named) problems.push_back(module.name + " is not one of the configuration's modules");
  }
  if (present != wanted) problems.emplace_back("modules that it names have no tensors");
  require(problems.empty(), ErrorKind::kInput, "{}: {}", where, listed(problems));
  std::vector<int64_t> layers;
  for (int64_t layer = 0; layer <= layer_range(adapter).second; ++layer) {
    if (std::find(without.begin(), without.end(), layer) == without.end()) layers.push_back(layer);
  }
  check_complete(adapter.modules, layers, where);
}

void take_modules(TensorPile& pile, const std::string& name, bool dora, LoraAdapter& adapter) {
  std::string middle = ".loras." + name;
  std::set<std::string> stems = pile.stems(middle + ".lora_A");
  stems.merge(pile.stems(middle + ".lora_B"));
  for (const std::string& stem : stems) {
    LoraModule module{.name = stem,
                      .a = pile.take(stem + middle + ".lora_A"),
                      .b = pile.take(stem + middle + ".lora_B")};
    if (dora) module.magnitude = pile.take(stem + middle + ".m.weight");
    // (out, 1)
    if (module.magnitude.defined())
      module.magnitude = module.magnitude.reshaped({module.magnitude.count()});
    adapter.modules.push_back(module);
  }
}

}  // namespace

LoraAdapter read_adapterhub(const Source& source) {
  const std::string& where = source.where;
  const Json& config = source.config.at("config");
  require(config.is_object(), ErrorKind::kInput, "{}: \"config\" is {}; expected an object", where,
          config.type_name());
  Json architecture = config.value("architecture", Json());
  require(
      architecture == "lora", ErrorKind::kInput,
      "{}: \"architecture\" is {}; only AdapterHub's \"lora\" means the same in the other formats",
      where, architecture.dump(-1, ' ', true).substr(0, 80));
  auto version = json_get_or<std::string>(source.config, "version", "none", where);
  require(version.starts_with("adapters."), ErrorKind::kInput,
          "{}: \"version\" is \"{}\"; only adapters of the library \"adapters\" are read: load and "
          "save it there first",
          where, version);
  check_foreign_keys(config, adapterhub_lora_keys(), where);
  LoraAdapter adapter;
  auto rank = json_get<int64_t>(config, "r", where);
  require(rank > 0, ErrorKind::kInput, "{}: \"r\" is {}; expected 1 or more", where, rank);
  double scale = scale_of(config, rank, version, where, adapter);
  adapter.name = json_get<std::string>(source.config, "name", where);
  adapter.base_name = json_get_or<std::string>(source.config, "model_name", "", where);
  adapter.model_type = json_get<std::string>(source.config, "model_type", where);
  adapter.dropout = json_get_or<double>(config, "dropout", 0, where);
  if (source.config.contains(kRecordKey)) adapter.record = source.config.at(kRecordKey);

  auto dora = json_get_or<bool>(config, "use_dora", false, where);
  TensorPile pile =
      TensorPile::open_first(source.folder, {"adapter.safetensors", "pytorch_adapter.bin"});
  take_modules(pile, adapter.name, dora, adapter);
  pile.finish(fmt::format("{} named \"{}\"", kAdapterHubLora, adapter.name));
  refuse_fused(adapter, pile.where());
  for (LoraModule& module : adapter.modules) module.scale = scale;
  finish_reading(adapter, pile.where());
  // An encoder without its head is the bare model, whose names have no prefix in PEFT.
  adapter.bare = adapter.bare || adapter.prefix != "model.";
  require(adapter.common_rank() == rank, ErrorKind::kInput, "{}: \"r\" is {}, but {} has rank {}",
          where, rank, adapter.modules.front().name, adapter.modules.front().rank());
  check_places(adapter, config, where);
  require(
      !dora || scale == 1, ErrorKind::kInput,
      "{}: DoRA with alpha {} times r divides by a norm without alpha in AdapterHub, and by one "
      "with it elsewhere",
      where, scale);
  if (dora) refuse_biases(source.base.biases, where);
  read_adapterhub_head(source, adapter);
  return adapter;
}

}  // namespace inlay::exchange
