#include "adapters/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "base/pattern.h"

namespace inlay {
namespace {

constexpr std::string_view kAllLinear = "all-linear";

using Kinds = std::vector<SiteKind>;

bool is_target(const Site& site, const Kinds& kinds) {
  return std::find(kinds.begin(), kinds.end(), site.kind) != kinds.end() &&
         site.role != SiteRole::kMaskedLm && site.role != SiteRole::kLanguageModel;
}

// What "all-linear" names of this base.
bool is_linear(const BaseFacts& base, const Site& site) {
  bool any = std::any_of(base.sites.begin(), base.sites.end(),
                         [](const Site* other) { return other->kind == SiteKind::kLinear; });
  return any ? site.kind == SiteKind::kLinear : site.conv.groups == 1;
}

// Of those that the base has.
std::string kinds_text(const BaseFacts& base, const Kinds& kinds) {
  std::string text;
  for (SiteKind kind : kinds) {
    bool there = std::any_of(base.sites.begin(), base.sites.end(),
                             [kind](const Site* site) { return site->kind == kind; });
    if (!there && kind != kinds.front()) continue;
    if (!text.empty()) text += " or ";
    text += site_kind_name(kind);
  }
  return text;
}

// The last component of every site: what people mean by a target.
std::vector<std::string> suffixes(const std::vector<const Site*>& sites) {
  std::set<std::string> names;
  for (const Site* site : sites) names.insert(site->name.substr(site->name.rfind('.') + 1));
  return {names.begin(), names.end()};
}

void fail_unmatched(const BaseFacts& base, const Kinds& kinds, const std::string& target) {
  std::vector<const Site*> sites = base.sites;
  std::erase_if(sites, [&](const Site* site) { return !is_target(*site, kinds); });
  std::vector<std::string> known = suffixes(sites);
  fail(ErrorKind::kUsage,
       "target \"{}\" matches no {} module of this {} base; did you mean \"{}\"? There are: {}",
       target, kinds_text(base, kinds), base.model_type, nearest_name(target, known),
       fmt::join(known, ", "));
}

bool in_layers(const Site& site, const std::vector<std::string>& layers) {
  if (layers.empty()) return true;
  return std::find(layers.begin(), layers.end(), std::to_string(site.layer)) != layers.end();
}

void check_layers(const BaseFacts& base, const std::vector<std::string>& layers) {
  for (const std::string& layer : layers) {
    bool digits =
        !layer.empty() && layer.size() < 6 && layer.find_first_not_of("0123456789") == layer.npos;
    require(digits && std::stoll(layer) < base.layers, ErrorKind::kUsage,
            "layers_to_transform names layer \"{}\"; this base has layers 0 to {}", layer,
            base.layers - 1);
  }
}

}  // namespace

bool is_pattern(const std::string& target) {
  return target.find_first_of("*+?[](){}|^$\\") != target.npos;
}

bool matches_target(const std::string& name, const std::string& target) {
  if (is_pattern(target)) return Pattern(target, "target_modules").matches_whole(name);
  return name == target || name.ends_with("." + target);
}

std::vector<const Site*> select_targets(const BaseFacts& base, const std::vector<SiteKind>& kinds,
                                        const TargetRules& rules) {
  check_layers(base, rules.layers_to_transform);
  std::set<const Site*> selected;
  for (const std::string& target : rules.target_modules) {
    std::size_t matched = 0;
    for (const Site* site : base.sites) {
      bool named =
          target == kAllLinear ? is_linear(base, *site) : matches_target(site->name, target);
      if (!is_target(*site, kinds) || !named) continue;
      ++matched;
      if (in_layers(*site, rules.layers_to_transform)) selected.insert(site);
    }
    if (matched == 0) fail_unmatched(base, kinds, target);
  }
  for (const std::string& target : rules.exclude_modules) {
    std::size_t matched = std::erase_if(
        selected, [&](const Site* site) { return matches_target(site->name, target); });
    if (matched == 0) fail_unmatched(base, kinds, target);
  }
  require(!selected.empty(), ErrorKind::kUsage,
          "the targets select no module; give target_modules=all-linear or names");
  std::vector<const Site*> ordered;
  for (const Site* site : base.sites) {
    if (selected.contains(site)) ordered.push_back(site);
  }
  return ordered;
}

bool pattern_names(const std::string& key, const std::string& site_name) {
  return Pattern("(.*\\.)?(" + key + ")", "rank_pattern or alpha_pattern").matches_whole(site_name);
}

double pattern_value(const std::map<std::string, double>& patterns, const std::string& site_name,
                     double fallback) {
  for (const auto& [key, value] : patterns) {
    if (pattern_names(key, site_name)) return value;
  }
  return fallback;
}

void check_patterns(const std::map<std::string, double>& patterns,
                    const std::vector<const Site*>& adapted, const std::string& setting) {
  for (const auto& [key, value] : patterns) {
    bool matched = std::any_of(adapted.begin(), adapted.end(), [&name = key](const Site* site) {
      return pattern_names(name, site->name);
    });
    if (matched) continue;
    std::vector<std::string> known = suffixes(adapted);
    fail(ErrorKind::kUsage,
         "{}: \"{}\" matches none of the adapted modules; did you mean \"{}\"? There are: {}",
         setting, key, nearest_name(key, known), fmt::join(known, ", "));
  }
}

}  // namespace inlay
