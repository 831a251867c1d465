// Which sites a method adapts, by PEFT's rules for target_modules, except that a target that
// matches nothing is an error. The base's own language-model head is no target: the bare model,
// which such an adapter is saved for, has none.
//
//   one item that is a suffix       query          matches encoder.layer.3.attention.self.query
//   several items                   query+value    each must match at least one site
//   all-linear                                     every linear layer of the base; of one that has
//   none, every convolution without groups
//   a pattern (anything with a character that no module name has)   '.*layer\.[01]\..*query'   must
//   match a whole name
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/base_facts.h"

namespace inlay {

struct TargetRules {
  std::vector<std::string> target_modules;
  std::vector<std::string> exclude_modules;
  std::vector<std::string> layers_to_transform;  // layer numbers; empty: all
};

// The sites of these kinds that the rules select, in the base's order.
std::vector<const Site*> select_targets(const BaseFacts& base, const std::vector<SiteKind>& kinds,
                                        const TargetRules& rules);

// Whether a key of a rank or alpha pattern names the site: as "(.*\.)?(key)$" does at the start of
// the name.
bool pattern_names(const std::string& key, const std::string& site_name);

// The value of the first key that names the site.
double pattern_value(const std::map<std::string, double>& patterns, const std::string& site_name,
                     double fallback);

// kUsage when a key names none of the adapted sites: it would have no effect. `setting` is its name
// in the message.
void check_patterns(const std::map<std::string, double>& patterns,
                    const std::vector<const Site*>& adapted, const std::string& setting);

// True when the text is a pattern rather than a module name.
bool is_pattern(const std::string& target);
// Whether `name` is the target, ends with "." + target, or, for a pattern, matches it wholly.
bool matches_target(const std::string& name, const std::string& target);

}  // namespace inlay
