#include "adapters/peft_targets.h"

#include <algorithm>

#include "base/error.h"
#include "base/pattern.h"

namespace inlay {
namespace {

constexpr const char* kAllLinear = "all-linear";

// PEFT adapts no output projection unless it is named, and the models of masked language modelling
// are none that it knows.
bool is_module(const Site& site) {
  return holds_tensors(site) && site.kind != SiteKind::kParameter &&
         site.role != SiteRole::kMaskedLm && site.role != SiteRole::kLanguageModel;
}

bool is_suffix(const std::string& name, const std::string& target) {
  return name == target || name.ends_with("." + target);
}

// A text is a pattern, a list has suffixes.
bool named_by(const Json& targets, const std::string& name) {
  if (targets.is_string())
    return Pattern(targets.get<std::string>(), "target_modules").matches_whole(name);
  return std::any_of(targets.begin(), targets.end(), [&](const Json& target) {
    return is_suffix(name, target.get<std::string>());
  });
}

bool in_layers(const Json& layers, const Site& site) {
  if (layers.is_null()) return true;
  if (layers.is_number_integer()) return layers == site.layer;
  return std::find(layers.begin(), layers.end(), Json(site.layer)) != layers.end();
}

bool has_name(const Json& targets, const std::string& name) {
  return targets.is_array() &&
         std::find(targets.begin(), targets.end(), Json(name)) != targets.end();
}

// One pattern becomes a text, names become a list; null where PEFT has no form for the mixture.
Json as_peft_has_them(const std::vector<std::string>& targets) {
  auto patterns = std::count_if(targets.begin(), targets.end(), is_pattern);
  if (patterns == 0) return targets;
  return targets.size() == 1 ? Json(targets.front()) : Json();
}

// Names that a suffix must not match: other modules, the head's, and the modules that contain them.
std::set<std::string> other_names(const PeftModel& model, const SiteSet& wanted) {
  std::set<std::string> others(model.head_modules.begin(), model.head_modules.end());
  for (const Site* site : model.base.sites) {
    if (is_module(*site) && !wanted.contains(site)) others.insert(site->name);
    for (std::size_t dot = site->name.find('.'); dot != std::string::npos;
         dot = site->name.find('.', dot + 1)) {
      others.insert(site->name.substr(0, dot));
    }
  }
  return others;
}

// The shortest run of last components that matches none of `others`; at worst the whole name.
std::string shortest_suffix(const std::string& name, const std::set<std::string>& others) {
  std::size_t dot = name.rfind('.');
  while (dot != std::string::npos) {
    std::string suffix = name.substr(dot + 1);
    if (std::none_of(others.begin(), others.end(),
                     [&](const std::string& other) { return is_suffix(other, suffix); })) {
      return suffix;
    }
    dot = dot == 0 ? std::string::npos : name.rfind('.', dot - 1);
  }
  return name;
}

PeftTargets suffixes_for(const PeftModel& model, const SiteSet& wanted) {
  std::set<std::string> others = other_names(model, wanted), suffixes;
  for (const Site* site : wanted) suffixes.insert(shortest_suffix(site->name, others));
  return {.target_modules = suffixes};
}

bool selects(const BaseFacts& base, const TargetRules& rules, const SiteSet& wanted) {
  std::vector<SiteKind> kinds;
  for (const Site* site : wanted) kinds.push_back(site->kind);
  if (kinds.empty()) kinds = {SiteKind::kLinear};
  try {
    std::vector<const Site*> sites = select_targets(base, kinds, rules);
    return SiteSet(sites.begin(), sites.end()) == wanted;
  } catch (const Error&) {  // a target that matches nothing, which PEFT allows
    return false;
  }
}

std::vector<std::string> texts(const Json& targets) {
  if (targets.is_null()) return {};
  if (targets.is_string()) return {targets.get<std::string>()};
  return targets.get<std::vector<std::string>>();
}

}  // namespace

SiteSet selected_by_peft(const PeftModel& model, const PeftTargets& targets) {
  SiteSet selected;
  for (const Site* site : model.base.sites) {
    if (!is_module(*site)) continue;
    std::string name = model.prefix + site->name;
    if (!targets.exclude_modules.is_null() && named_by(targets.exclude_modules, name)) continue;
    if (targets.target_modules == kAllLinear) {
      if (site->kind == SiteKind::kLinear && in_layers(targets.layers_to_transform, *site))
        selected.insert(site);
      continue;
    }
    // An entry that is the whole name counts whatever the layer.
    bool layer_counts = !has_name(targets.target_modules, name);
    if (layer_counts && !in_layers(targets.layers_to_transform, *site)) continue;
    if (named_by(targets.target_modules, name)) selected.insert(site);
  }
  return selected;
}

PeftTargets targets_for_peft(const PeftModel& model, const TargetRules& rules,
                             const SiteSet& wanted) {
  const std::vector<std::string>& targets = rules.target_modules;
  PeftTargets plain{.target_modules = as_peft_has_them(targets),
                    .exclude_modules = as_peft_has_them(rules.exclude_modules)};
  bool possible = !plain.target_modules.is_null() && !plain.exclude_modules.is_null() &&
                  std::find(targets.begin(), targets.end(), kAllLinear) == targets.end();
  if (!possible) return suffixes_for(model, wanted);
  if (rules.exclude_modules.empty()) plain.exclude_modules = nullptr;
  for (const std::string& layer : rules.layers_to_transform)
    plain.layers_to_transform.push_back(std::stoi(layer));
  return selected_by_peft(model, plain) == wanted ? plain : suffixes_for(model, wanted);
}

TargetRules rules_from_peft(const PeftModel& model, const PeftTargets& targets,
                            const SiteSet& wanted) {
  TargetRules rules{.target_modules = texts(targets.target_modules),
                    .exclude_modules = texts(targets.exclude_modules)};
  const Json& layers = targets.layers_to_transform;
  if (layers.is_number_integer()) rules.layers_to_transform = {layers.dump()};
  if (layers.is_array()) {
    for (const Json& layer : layers) rules.layers_to_transform.push_back(layer.dump());
  }
  if (selects(model.base, rules, wanted)) return rules;
  TargetRules whole;
  for (const Site* site : model.base.sites) {
    if (wanted.contains(site)) whole.target_modules.push_back(site->name);
  }
  return whole;
}

std::map<std::string, double> carry_patterns(const std::map<std::string, double>& patterns,
                                             const SiteSet& sites, double fallback,
                                             const std::string& from, const std::string& to) {
  bool same = true;
  std::map<std::string, double> whole;
  for (const Site* site : sites) {
    double value = pattern_value(patterns, from + site->name, fallback);
    same = same && pattern_value(patterns, to + site->name, fallback) == value;
    if (value != fallback) whole[to + site->name] = value;
  }
  if (!same) return whole;
  std::map<std::string, double> used = patterns;
  std::erase_if(used, [&](const auto& pattern) {
    return std::none_of(sites.begin(), sites.end(), [&](const Site* site) {
      return pattern_names(pattern.first, to + site->name);
    });
  });
  return used;
}

}  // namespace inlay
