// Which modules PEFT would adapt, by its own rules for target_modules, exclude_modules and
// layers_to_transform; and a way to name a set of sites so that PEFT adapts exactly those.
//
// PEFT sees the modules of the model it wraps: "bert.encoder.layer.0..." in a model with a head,
// where sites are named "encoder.layer.0...". A list holds suffixes, never patterns; a text is a
// pattern for the whole name.
#pragma once

#include <set>
#include <string>

#include "adapters/targets.h"
#include "base/json.h"

namespace inlay {

using SiteSet = std::set<const Site*>;

struct PeftModel {
  const BaseFacts& base;
  std::string prefix;  // "bert." or ""
  std::vector<std::string>
      head_modules;  // linear layers of the head: never adapted, but names to keep apart from
};

// As adapter_config.json has them: a list, a text or null.
struct PeftTargets {
  Json target_modules, exclude_modules, layers_to_transform;
};

// The sites whose modules PEFT selects, of all kinds.
SiteSet selected_by_peft(const PeftModel& model, const PeftTargets& targets);

// The rules as PEFT writes them where they mean the same there, and otherwise a list of suffixes
// that selects `wanted`.
PeftTargets targets_for_peft(const PeftModel& model, const TargetRules& rules,
                             const SiteSet& wanted);

// Rules of ours that select `wanted`: PEFT's own where they mean the same here, and otherwise whole
// names.
TargetRules rules_from_peft(const PeftModel& model, const PeftTargets& targets,
                            const SiteSet& wanted);

// The same values for all sites, where module names carried `from` and will carry `to`: the
// patterns as they are, without those that name no site, which PEFT allows; or one whole name per
// site whose value is not `fallback`.
std::map<std::string, double> carry_patterns(const std::map<std::string, double>& patterns,
                                             const SiteSet& sites, double fallback,
                                             const std::string& from, const std::string& to);

}  // namespace inlay
