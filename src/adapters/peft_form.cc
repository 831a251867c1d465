#include "adapters/peft_form.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "adapters/adapter_record.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxEntries = 4096;  // of a list or map; each is compared with every module
constexpr std::string_view kPatternEnd = "_pattern";

const std::vector<PeftKey>& common_keys() {
  static const std::vector<PeftKey> keys = {
      {"auto_mapping", nullptr, PeftKey::kNoMatter},
      {"base_model_name_or_path", nullptr, PeftKey::kNoMatter},
      {"inference_mode", true, PeftKey::kNoMatter},
      {kRecordKey, nullptr, PeftKey::kNoMatter},
      {"modules_to_save", nullptr, PeftKey::kCustom},
      {"peft_type", nullptr, PeftKey::kCustom},
      {"peft_version", nullptr, PeftKey::kNoMatter},
      {"revision", nullptr, PeftKey::kNoMatter},
      {"task_type", nullptr, PeftKey::kCustom},
  };
  return keys;
}

const std::vector<PeftKey>& narrowing_keys() {
  static const std::vector<PeftKey> keys = {
      {"exclude_modules", nullptr, PeftKey::kCustom},
      {"layers_pattern", nullptr, PeftKey::kFixed},
      {"layers_to_transform", nullptr, PeftKey::kCustom},
  };
  return keys;
}

std::vector<PeftKey> keys_of(const PeftForm& form) {
  std::vector<PeftKey> keys = common_keys();
  keys.insert(keys.end(), form.keys.begin(), form.keys.end());
  if (!form.has_targets) return keys;
  keys.emplace_back("target_modules", nullptr, PeftKey::kCustom);
  if (form.narrows_targets)
    keys.insert(keys.end(), narrowing_keys().begin(), narrowing_keys().end());
  return keys;
}

bool is_pattern_key(const PeftKey& key) {
  return std::string_view(key.name).ends_with(kPatternEnd) && key.standard.is_object();
}

// What a pattern's values stand in for: of "rank_pattern" r, of "alpha_pattern" alpha.
double fallback_of(const PeftKey& key, const Json& fields) {
  return fields.at(std::string_view(key.name) == "rank_pattern" ? "r" : "alpha").get<double>();
}

std::map<std::string, double> patterns_of(const Json& config, const PeftKey& key,
                                          const std::string& where) {
  std::map<std::string, double> values;
  if (!config.contains(key.name) || config.at(key.name).is_null()) return values;
  const Json& patterns = config.at(key.name);
  require(patterns.is_object(), ErrorKind::kInput,
          "{}: \"{}\" is {}; expected an object of numbers", where, key.name, patterns.type_name());
  require(patterns.size() <= kMaxEntries, ErrorKind::kInput,
          "{}: \"{}\" has {} entries, more than {}", where, key.name, patterns.size(), kMaxEntries);
  for (const auto& [name, value] : patterns.items())
    values[name] = json_get<double>(patterns, name.c_str(), where + ": " + key.name);
  return values;
}

Json numbers(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) json[key] = plain_number(value);
  return json;
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

std::vector<std::string> list_of(const Json& fields, const char* name) {
  return fields.contains(name) ? fields.at(name).get<std::vector<std::string>>()
                               : std::vector<std::string>();
}

void write_targets(const PeftForm& form, const Json& fields, const PeftModel& model,
                   const SiteSet& adapted, Json& config) {
  TargetRules rules{list_of(fields, "target_modules"), list_of(fields, "exclude_modules"),
                    list_of(fields, "layers_to_transform")};
  PeftTargets targets = targets_for_peft(model, rules, adapted);
  config["target_modules"] = targets.target_modules;
  if (!form.narrows_targets) return;
  config["exclude_modules"] = targets.exclude_modules;
  config["layers_to_transform"] = targets.layers_to_transform;
}

}  // namespace

Json fields_to_peft(const PeftForm& form, const Json& fields, const PeftModel& model,
                    const SiteSet& adapted) {
  Json config = foreign_defaults(foreign_keys(keys_of(form)));
  config["peft_type"] = form.type;
  for (const PeftKey& key : form.keys) {
    if (key.field == nullptr) continue;
    const Json& value = fields.at(key.field);
    if (!is_pattern_key(key)) {
      config[key.name] = as_standard(key, value);
      continue;
    }
    config[key.name] = numbers(carry_patterns(value.get<std::map<std::string, double>>(), adapted,
                                              fallback_of(key, fields), "", model.prefix));
  }
  if (form.has_targets) write_targets(form, fields, model, adapted, config);
  if (form.write != nullptr) form.write(fields, adapted, config);
  if (form.by_module != nullptr) {
    Json prefixed = Json::object();
    for (const auto& [name, value] : config.at(form.by_module).items())
      prefixed[model.prefix + name] = value;
    config[form.by_module] = std::move(prefixed);
  }
  return config;
}

void check_peft_config(const PeftForm& form, const Json& config, const std::string& where) {
  check_foreign_keys(config, foreign_keys(keys_of(form)), where);
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

Json fields_from_peft(const PeftForm& form, const Json& config, const PeftModel& model,
                      const SiteSet& adapted, const std::string& where) {
  Json fields = Json::object();
  for (const PeftKey& key : form.keys) {
    if (key.field == nullptr || is_pattern_key(key)) continue;
    bool given = config.contains(key.name) && !config.at(key.name).is_null();
    fields[key.field] = given ? config.at(key.name) : key.standard;
  }
  for (const PeftKey& key : form.keys) {
    if (!is_pattern_key(key) || key.field == nullptr) continue;
    fields[key.field] = carry_patterns(patterns_of(config, key, where), adapted,
                                       fallback_of(key, fields), model.prefix, "");
  }
  if (form.has_targets) {
    TargetRules rules = rules_from_peft(model, peft_targets(config, where), adapted);
    fields["target_modules"] = rules.target_modules;
    if (form.narrows_targets) {
      fields["exclude_modules"] = rules.exclude_modules;
      fields["layers_to_transform"] = rules.layers_to_transform;
    }
  }
  if (form.read != nullptr) form.read(config, adapted, where, fields);
  return fields;
}

}  // namespace inlay
