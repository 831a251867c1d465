// What methods that adapt linear layers by name have in common: which layers, and the ranks and
// alphas that differ by layer.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/method.h"
#include "adapters/targets.h"

namespace inlay {

// kUsage unless a probability is 0 or more and below 1. `setting` is its name in the message,
// "vera: dropout".
void check_probability(const char* setting, double value);

class TargetedMethod : public Method {
 public:
  std::vector<const Site*> select(const BaseFacts& base) const override;

 protected:
  // Without target_modules: all linear layers, or those of these roles.
  explicit TargetedMethod(std::vector<SiteRole> roles = {}) : roles_(std::move(roles)) {
    if (roles_.empty()) rules_.target_modules = {"all-linear"};
  }

  // Fields target_modules, exclude_modules, layers_to_transform.
  void target_fields(FieldVisitor& visit);
  // What else select() refuses.
  virtual void check() const {}
  virtual void check_site(const Site&) const {}
  virtual std::vector<SiteKind> kinds() const { return {SiteKind::kLinear}; }

  TargetRules rules_;

 private:
  std::vector<SiteRole> roles_;
};

// Rank and alpha, with patterns for layers that differ; the update is scaled by alpha / r.
class RankedMethod : public TargetedMethod {
 public:
  std::vector<const Site*> select(const BaseFacts& base) const override;

 protected:
  RankedMethod(int64_t r, double alpha, std::vector<SiteRole> roles = {})
      : TargetedMethod(std::move(roles)), r_(r), alpha_(alpha) {}

  // Fields r, alpha, rank_pattern, alpha_pattern.
  void rank_fields(FieldVisitor& visit);
  virtual int64_t rank_at(const Site& site) const;
  virtual double scale_at(const Site& site) const;
  double alpha_at(const Site& site) const;  // not 0

  int64_t r_;
  double alpha_;
  std::map<std::string, double> rank_pattern_, alpha_pattern_;
};

}  // namespace inlay
