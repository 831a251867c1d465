#include "adapters/targeted_method.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {

void check_probability(const char* setting, double value) {
  require(value >= 0 && value < 1, ErrorKind::kUsage, "{} is {}; expected 0 or more and below 1",
          setting, value);
}

namespace {

// One layer for queries, keys and values stands for each of them.
bool has_role(const Site& site, const std::vector<SiteRole>& roles) {
  return std::any_of(roles.begin(), roles.end(), [&](SiteRole role) {
    bool attends = role == SiteRole::kQuery || role == SiteRole::kKey || role == SiteRole::kValue;
    return site.role == role || (attends && site.role == SiteRole::kQueryKeyValue);
  });
}

}  // namespace

std::vector<const Site*> TargetedMethod::select(const BaseFacts& base) const {
  check();
  TargetRules rules = rules_;
  for (const Site* site : base.sites) {
    if (rules_.target_modules.empty() && has_role(*site, roles_))
      rules.target_modules.push_back(site->name);
  }
  std::vector<const Site*> sites = select_targets(base, kinds(), rules);
  for (const Site* site : sites) check_site(*site);
  return sites;
}

void TargetedMethod::target_fields(FieldVisitor& visit) {
  visit("target_modules", rules_.target_modules,
        roles_.empty()
            ? "module names (suffixes), a pattern, or all-linear"
            : "module names (suffixes), a pattern, or all-linear; empty: query and value");
  visit("exclude_modules", rules_.exclude_modules, "module names or patterns to leave out");
  visit("layers_to_transform", rules_.layers_to_transform, "only these layers; all when empty");
}

std::vector<const Site*> RankedMethod::select(const BaseFacts& base) const {
  std::vector<const Site*> sites = TargetedMethod::select(base);
  check_patterns(rank_pattern_, sites, "rank_pattern");
  check_patterns(alpha_pattern_, sites, "alpha_pattern");
  for (const Site* site : sites) rank_at(*site);
  return sites;
}

void RankedMethod::rank_fields(FieldVisitor& visit) {
  visit("r", r_, "rank of the update");
  visit("alpha", alpha_, "the update is scaled by alpha / r");
  visit("rank_pattern", rank_pattern_, "other ranks for modules that a name or pattern matches");
  visit("alpha_pattern", alpha_pattern_, "other alphas for modules that a name or pattern matches");
}

int64_t RankedMethod::rank_at(const Site& site) const {
  double rank = pattern_value(rank_pattern_, site.name, static_cast<double>(r_));
  // A convolution reads patches.
  int64_t in = site.kind == SiteKind::kConv ? site.conv.weight_shape().count() / site.out : site.in;
  int64_t limit = std::min(in, site.out);
  require(rank >= 1 && rank == std::floor(rank), ErrorKind::kUsage,
          "rank {} at {}; expected a whole number from 1", rank, site.name);
  require(rank <= static_cast<double>(limit), ErrorKind::kUsage,
          "rank {} exceeds min(in {}, out {}) of {}; use r <= {}", rank, in, site.out, site.name,
          limit);
  return static_cast<int64_t>(rank);
}

double RankedMethod::alpha_at(const Site& site) const {
  double alpha = pattern_value(alpha_pattern_, site.name, alpha_);
  require(alpha != 0, ErrorKind::kUsage,
          "alpha is 0 at {}, so that the update would have no effect; expected another number",
          site.name);
  return alpha;
}

double RankedMethod::scale_at(const Site& site) const {
  return alpha_at(site) / static_cast<double>(rank_at(site));
}

}  // namespace inlay
