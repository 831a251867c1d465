// Reads PEFT's LoRA (src/peft/tuners/lora, src/peft/utils/save_and_load.py).
//
//   base_model.model.<module>.lora_A.weight (r, in)   .lora_B.weight (out, r)   .lora_B.bias (out)
//   base_model.model.<module>.lora_magnitude_vector (out)
#include <algorithm>
#include <cmath>
#include <map>

#include "adapters/adapter_record.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/lora_keys.h"
#include "adapters/exchange/module_names.h"
#include "adapters/targets.h"

namespace inlay::exchange {
namespace {

constexpr std::size_t kMaxEntries = 4096;

// Starts that also changed the base: the tensors then belong to that other base.
void check_start(const Json& config, const std::string& where) {
  Json start = config.value("init_lora_weights", Json(true));
  std::string name = start.is_string() ? start.get<std::string>() : "";
  bool unchanged = start.is_boolean() || start.is_null() || name == "eva" || name == "gaussian" ||
                   name == "orthogonal" || name == "mica";
  require(
      unchanged, ErrorKind::kInput,
      "{}: \"init_lora_weights\" is {}, which changes the base, so the tensors are right only on "
      "that changed base; save the adapter as plain LoRA of rank 2r first (in PEFT: "
      "save_pretrained with path_initial_model_for_weight_conversion)",
      where, start.dump(-1, ' ', true).substr(0, 80));
}

std::map<std::string, double> pattern(const Json& config, const char* key,
                                      const std::string& where) {
  std::map<std::string, double> values;
  if (!config.contains(key) || config.at(key).is_null()) return values;
  const Json& json = config.at(key);
  require(json.is_object() && json.size() <= kMaxEntries, ErrorKind::kInput,
          "{}: \"{}\" is not an object of at most {} numbers", where, key, kMaxEntries);
  for (const auto& [name, value] : json.items())
    values[name] = json_get<double>(json, name.c_str(), where + ": " + key);
  return values;
}

// r, alpha and s of each module, by PEFT's rules.
class Scales {
 public:
  Scales(const Json& config, const std::string& where)
      : ranks_(pattern(config, "rank_pattern", where)),
        alphas_(pattern(config, "alpha_pattern", where)),
        rank_(json_get_or<double>(config, "r", 8, where)),
        alpha_(json_get_or<double>(config, "lora_alpha", 8, where)),
        stabilized_(json_get_or<bool>(config, "use_rslora", false, where)) {}

  double rank(const std::string& module) const { return pattern_value(ranks_, module, rank_); }
  // alpha / r, with rsLoRA (Kalajdzievski 2023) alpha / sqrt(r).
  double scale(const std::string& module) const {
    double alpha = pattern_value(alphas_, module, alpha_);
    return alpha / (stabilized_ ? std::sqrt(rank(module)) : rank(module));
  }

 private:
  std::map<std::string, double> ranks_, alphas_;
  double rank_, alpha_;
  bool stabilized_;
};

std::vector<std::string> names_of(const Json& config, const char* key, const std::string& where) {
  Json list = config.contains(key) ? config.at(key) : Json();
  if (list.is_null()) return {};
  bool names = list.is_array() && list.size() <= kMaxEntries &&
               std::all_of(list.begin(), list.end(), [](const Json& x) { return x.is_string(); });
  require(names, ErrorKind::kInput, "{}: \"{}\" is not a list of at most {} names", where, key,
          kMaxEntries);
  return list.get<std::vector<std::string>>();
}

bool has_part(const std::string& key, const std::string& part) {
  return ("." + key).find("." + part + ".") != std::string::npos;
}

// Everything beside LoRA belongs to a module of modules_to_save; two names always count for
// classifiers.
void take_head(TensorPile& pile, const Source& source, LoraAdapter& adapter) {
  adapter.head_modules = names_of(source.config, "modules_to_save", source.where);
  std::vector<std::string> saved = adapter.head_modules;
  if (adapter.task_type == "SEQ_CLS" || adapter.task_type == "TOKEN_CLS") {
    saved.emplace_back("classifier");
    saved.emplace_back("score");
  }
  for (const std::string& key : pile.names()) {
    bool wanted = key.starts_with(kPeftKeyPrefix) && key.find(".lora_") == std::string::npos &&
                  std::any_of(saved.begin(), saved.end(),
                              [&](const std::string& part) { return has_part(key, part); });
    if (wanted)
      adapter.head.push_back({key.substr(std::string(kPeftKeyPrefix).size()), pile.take(key)});
  }
}

LoraModule take_module(TensorPile& pile, const std::string& stem, const Scales& scales) {
  std::string name = stem.substr(std::string(kPeftKeyPrefix).size());
  LoraModule module{.name = name,
                    .a = pile.take(stem + ".lora_A.weight"),
                    .b = pile.take(stem + ".lora_B.weight"),
                    .scale = scales.scale(name),
                    .bias = pile.take_if_any(stem + ".lora_B.bias"),
                    .magnitude = pile.take_if_any(stem + ".lora_magnitude_vector")};
  if (!module.magnitude.defined())
    module.magnitude = pile.take_if_any(stem + ".lora_magnitude_vector.weight");
  return module;
}

// The configuration's word on what the tensors must be.
void check_promises(const LoraAdapter& adapter, const Source& source, const Scales& scales) {
  auto dora = json_get_or<bool>(source.config, "use_dora", false, source.where);
  auto bias = json_get_or<bool>(source.config, "lora_bias", false, source.where);
  std::vector<std::string> problems;
  for (const LoraModule& module : adapter.modules) {
    if (scales.rank(module.name) != static_cast<double>(module.rank())) {
      problems.push_back(fmt::format("{} has rank {} where the configuration gives {}", module.name,
                                     module.rank(), scales.rank(module.name)));
    }
    if (module.magnitude.defined() != dora)
      problems.push_back(fmt::format("{}.lora_magnitude_vector is {}", module.name,
                                     dora ? "missing (use_dora)" : "there without use_dora"));
    if (module.bias.defined() != bias)
      problems.push_back(fmt::format("{}.lora_B.bias is {}", module.name,
                                     bias ? "missing (lora_bias)" : "there without lora_bias"));
    if (!std::isfinite(module.scale))
      problems.push_back(fmt::format("{} has scale {}", module.name, module.scale));
  }
  require(problems.empty(), ErrorKind::kInput, "{}: {}", source.where, listed(problems));
}

bool names_module(const std::string& target, const std::string& module) {
  return module == target || module.ends_with("." + target);
}

std::vector<int64_t> chosen_layers(const Source& source) {
  Json layers = source.config.value("layers_to_transform", Json());
  if (layers.is_number_integer()) layers = Json::array({layers});
  std::vector<int64_t> numbers;
  numbers.reserve(layers.size());
  for (const Json& layer : layers) {
    require(layer.is_number_integer(), ErrorKind::kInput,
            "{}: \"layers_to_transform\" has {}; expected layer numbers", source.where,
            layer.type_name());
    numbers.push_back(layer.get<int64_t>());
  }
  return numbers;
}

// Every name of the list has tensors. Names without numbers stand for these modules in every layer,
// as "all-linear" and PEFT's own table do; a pattern may select any.
void check_targets(const LoraAdapter& adapter, const Source& source) {
  Json json =
      source.config.contains("target_modules") ? source.config.at("target_modules") : Json();
  if (json.is_string() && json != "all-linear") return;
  std::vector<std::string> targets, unmet;
  if (!json.is_string()) targets = names_of(source.config, "target_modules", source.where);
  bool plain = true;
  for (const std::string& target : targets) {
    plain = plain && target.find_first_of("0123456789") == std::string::npos;
    bool met =
        std::any_of(adapter.modules.begin(), adapter.modules.end(),
                    [&](const LoraModule& module) { return names_module(target, module.name); });
    if (!met) unmet.push_back(target);
  }
  require(unmet.empty(), ErrorKind::kInput,
          "{}: no tensors for these names of \"target_modules\": {}", source.where, listed(unmet));
  if (plain) check_complete(adapter.modules, chosen_layers(source), source.where);
}

}  // namespace

LoraAdapter read_peft(const Source& source) {
  const std::string& where = source.where;
  auto type = json_get<std::string>(source.config, "peft_type", where);
  require(
      type == "LORA", ErrorKind::kInput,
      "{}: \"peft_type\" is \"{}\"; only LoRA (with DoRA and rsLoRA) means the same in the other "
      "formats",
      where, type);
  check_foreign_keys(source.config, peft_lora_keys(), where);
  check_start(source.config, where);
  LoraAdapter adapter{.peft = source.config};
  adapter.base_name = json_get_or<std::string>(source.config, "base_model_name_or_path", "", where);
  adapter.model_type = source.base.model_type;
  adapter.task_type = json_get_or<std::string>(source.config, "task_type", "", where);
  adapter.dropout = json_get_or<double>(source.config, "lora_dropout", 0, where);
  if (source.config.contains(kRecordKey)) adapter.record = source.config.at(kRecordKey);

  TensorPile pile = open_peft_or_torchtune(source.folder);
  Scales scales(source.config, where);
  std::set<std::string> stems = pile.stems(".lora_A.weight");
  stems.merge(pile.stems(".lora_B.weight"));
  for (const std::string& stem : stems) {
    if (stem.starts_with(kPeftKeyPrefix))
      adapter.modules.push_back(take_module(pile, stem, scales));
  }
  take_head(pile, source, adapter);
  pile.finish("PEFT's LoRA of linear layers, and of no module in modules_to_save");
  check_modules(adapter, pile.where());
  check_promises(adapter, source, scales);
  check_targets(adapter, source);
  finish_reading(adapter, pile.where());
  return adapter;
}

}  // namespace inlay::exchange
