#include "adapters/peft_config.h"

#include <algorithm>
#include <cmath>

#include "adapters/adapter_record.h"
#include "adapters/foreign_keys.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxEntries = 4096;  // of a list or map; each is compared with every module

const std::vector<ForeignKey>& peft_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {
      {"alora_invocation_tokens", nullptr, kFixed},
      {"alpha_pattern", Json::object(), kRead},
      {"arrow_config", nullptr, kFixed},
      {"auto_mapping", nullptr, kNoMatter},
      {"base_model_name_or_path", nullptr, kNoMatter},
      {"bias", "none", kFixed},
      {"corda_config", nullptr, kNoMatter},
      {"ensure_weight_tying", false, kFixed},
      {"eva_config", nullptr, kNoMatter},
      {"exclude_modules", nullptr, kRead},
      {"fan_in_fan_out", false, kFixed},
      {"inference_mode", true, kNoMatter},
      {"init_lora_weights", true, kRead},
      {kRecordKey, nullptr, kNoMatter},
      {"kasa_config", nullptr, kFixed},
      {"layer_replication", nullptr, kFixed},
      {"layers_pattern", nullptr, kFixed},
      {"layers_to_transform", nullptr, kRead},
      {"loftq_config", Json::object(), kNoMatter},
      {"lora_alpha", 8, kRead},
      {"lora_bias", false, kFixed},
      {"lora_dropout", 0.0, kRead},
      {"lora_ga_config", nullptr, kNoMatter},
      {"megatron_config", nullptr, kFixed},
      {"megatron_core", "megatron.core", kNoMatter},
      {"modules_to_save", nullptr, kRead},
      {"monteclora_config", nullptr, kFixed},
      {"peft_type", "LORA", kRead},
      {"peft_version", nullptr, kNoMatter},
      {"qalora_group_size", 16, kNoMatter},
      {"r", 8, kRead},
      {"rank_pattern", Json::object(), kRead},
      {"revision", nullptr, kNoMatter},
      {"target_modules", nullptr, kRead},
      {"target_parameters", nullptr, kFixed},
      {"task_type", nullptr, kRead},
      {"trainable_token_indices", nullptr, kFixed},
      {"use_bdlora", nullptr, kFixed},
      {"use_dora", false, kFixed},
      {"use_qalora", false, kFixed},
      {"use_rslora", false, kRead},
      {"velora_config", nullptr, kFixed},
  };
  return keys;
}

Json numbers(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) json[key] = plain_number(value);
  return json;
}

std::map<std::string, double> patterns(const Json& config, const char* key,
                                       const std::string& where) {
  std::map<std::string, double> values;
  if (!config.contains(key) || config.at(key).is_null()) return values;
  require(config.at(key).is_object(), ErrorKind::kInput,
          "{}: \"{}\" is {}; expected an object of numbers", where, key,
          config.at(key).type_name());
  require(config.at(key).size() <= kMaxEntries, ErrorKind::kInput,
          "{}: \"{}\" has {} entries, more than {}", where, key, config.at(key).size(),
          kMaxEntries);
  for (const auto& [name, value] : config.at(key).items()) {
    values[name] = json_get<double>(config.at(key), name.c_str(), where + ": " + key);
  }
  return values;
}

// How A started does not matter to trained values, unless the start also changed the base.
std::string start_of(const Json& config, const std::string& where) {
  Json start = config.value("init_lora_weights", Json(true));
  if (start == "gaussian") return "gaussian";
  bool base_unchanged = start.is_boolean() || start == "eva" || start == "orthogonal";
  require(base_unchanged, ErrorKind::kInput,
          "{}: \"init_lora_weights\" is {}, which changes the base; convert the adapter to plain "
          "LoRA in PEFT "
          "(path_initial_model_for_weight_conversion)",
          where, start.dump(-1, ' ', true));
  return "kaiming";
}

Json names_or_pattern(const Json& config, const char* key, const std::string& where) {
  Json value = config.contains(key) ? config.at(key) : Json();
  bool names = value.is_array() &&
               std::all_of(value.begin(), value.end(), [](const Json& x) { return x.is_string(); });
  require(value.is_null() || value.is_string() || names, ErrorKind::kInput,
          "{}: \"{}\" is neither a list of module names nor a pattern", where, key);
  require(value.size() <= kMaxEntries, ErrorKind::kInput, "{}: \"{}\" has {} entries, more than {}",
          where, key, value.size(), kMaxEntries);
  return value;
}

}  // namespace

Json lora_to_peft(const Json& fields, const PeftModel& model, const SiteSet& adapted) {
  Json config = foreign_defaults(peft_keys());
  auto rank = fields.at("r").get<int64_t>();
  auto alpha = fields.at("alpha").get<double>();
  using Patterns = std::map<std::string, double>;
  config["r"] = rank;
  config["lora_alpha"] = plain_number(alpha);
  config["lora_dropout"] = fields.at("dropout");
  config["use_rslora"] = fields.at("use_rslora");
  config["init_lora_weights"] =
      fields.at("init_lora_weights") == "gaussian" ? Json("gaussian") : Json(true);
  config["rank_pattern"] =
      numbers(carry_patterns(fields.at("rank_pattern").get<Patterns>(), adapted,
                             static_cast<double>(rank), "", model.prefix));
  config["alpha_pattern"] = numbers(
      carry_patterns(fields.at("alpha_pattern").get<Patterns>(), adapted, alpha, "", model.prefix));
  TargetRules rules{fields.at("target_modules").get<std::vector<std::string>>(),
                    fields.at("exclude_modules").get<std::vector<std::string>>(),
                    fields.at("layers_to_transform").get<std::vector<std::string>>()};
  PeftTargets targets = targets_for_peft(model, rules, adapted);
  config["target_modules"] = targets.target_modules;
  config["exclude_modules"] = targets.exclude_modules;
  config["layers_to_transform"] = targets.layers_to_transform;
  return config;
}

void check_peft_config(const Json& config, const std::string& where) {
  auto type = json_get<std::string>(config, "peft_type", where);
  require(type == "LORA", ErrorKind::kInput, "{}: \"peft_type\" is \"{}\"; only LORA is read",
          where, type);
  check_foreign_keys(config, peft_keys(), where);
}

PeftTargets peft_targets(const Json& config, const std::string& where) {
  PeftTargets targets{.target_modules = names_or_pattern(config, "target_modules", where),
                      .exclude_modules = names_or_pattern(config, "exclude_modules", where)};
  require(!targets.target_modules.is_null(), ErrorKind::kInput, "{}: \"target_modules\" is missing",
          where);
  if (config.contains("layers_to_transform"))
    targets.layers_to_transform = config.at("layers_to_transform");
  const Json& layers = targets.layers_to_transform;
  bool numbers = layers.is_array() && std::all_of(layers.begin(), layers.end(), [](const Json& x) {
                   return x.is_number_integer();
                 });
  require(layers.is_null() || layers.is_number_integer() || numbers, ErrorKind::kInput,
          "{}: \"layers_to_transform\" is neither a layer's number nor a list of them", where);
  return targets;
}

Json lora_from_peft(const Json& config, const PeftModel& model, const SiteSet& adapted,
                    const std::string& where) {
  auto rank = json_get_or<int64_t>(config, "r", 8, where);
  auto alpha = json_get_or<double>(config, "lora_alpha", 8, where);
  TargetRules rules = rules_from_peft(model, peft_targets(config, where), adapted);
  return {{"r", rank},
          {"alpha", alpha},
          {"dropout", json_get_or<double>(config, "lora_dropout", 0, where)},
          {"use_rslora", json_get_or<bool>(config, "use_rslora", false, where)},
          {"init_lora_weights", start_of(config, where)},
          {"rank_pattern", carry_patterns(patterns(config, "rank_pattern", where), adapted,
                                          static_cast<double>(rank), model.prefix, "")},
          {"alpha_pattern", carry_patterns(patterns(config, "alpha_pattern", where), adapted, alpha,
                                           model.prefix, "")},
          {"target_modules", rules.target_modules},
          {"exclude_modules", rules.exclude_modules},
          {"layers_to_transform", rules.layers_to_transform}};
}

}  // namespace inlay
