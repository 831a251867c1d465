#include "adapters/merged_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "autograd/operands.h"

namespace inlay {
namespace {

constexpr std::size_t kSitesShown = 4;

// Where the files keep a site's tensors; empty where they have none.
struct SiteNames {
  std::string weight, bias, mean, variance;
};

SiteNames names_of(const Checkpoint& checkpoint, const BaseFacts& base, const Site& site) {
  auto first_of = [&](std::initializer_list<const char*> endings) {
    for (const std::string& prefix : {base.prefix, std::string()}) {
      for (const char* ending : endings) {
        if (checkpoint.contains(prefix + site.name + ending)) return prefix + site.name + ending;
      }
    }
    return std::string();
  };
  if (site.kind == SiteKind::kParameter) {
    return {site.weight.defined() ? first_of({""}) : "", site.bias.defined() ? first_of({""}) : "",
            "", ""};
  }
  // A table may be a tensor of its own, without a module.
  return {site.weight.defined() ? first_of({".weight", ".gamma", ""}) : "",
          site.bias.defined() ? first_of({".bias", ".beta"}) : "",
          site.mean.defined() ? first_of({".running_mean"}) : "",
          site.variance.defined() ? first_of({".running_var"}) : ""};
}

bool same_contents(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

bool all_finite(const Tensor& tensor) {
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (!std::isfinite(in(tensor).load<double>(i))) return false;
  }
  return true;
}

// New values by the name of the tensor that they replace.
class Changes {
 public:
  Changes(const Checkpoint& checkpoint, const BaseFacts& base)
      : checkpoint_(checkpoint), base_(base) {}

  void add(const Site& site, const MergedTensors& merged) {
    SiteNames names = names_of(checkpoint_, base_, site);
    put(names.weight, site.weight, as_stored(site, merged.weight));
    put(names.bias, site.bias, merged.bias);
    put(names.mean, site.mean, merged.mean);
    put(names.variance, site.variance, merged.variance);
  }

  // Copies of a changed table, or of a bare parameter, under names that no site has.
  void follow_ties() {
    std::map<std::string, Tensor> repeated;
    for (const std::string& name : unclaimed()) {
      for (const Site* site : base_.sites) {
        bool may_be_tied = site->kind == SiteKind::kEmbedding || site->kind == SiteKind::kParameter;
        if (!may_be_tied) continue;
        SiteNames own = names_of(checkpoint_, base_, *site);
        for (const std::string& source : {own.weight, own.bias}) {
          auto changed = values_.find(source);
          if (changed == values_.end()) continue;
          if (same_contents(checkpoint_.tensor(name), checkpoint_.tensor(source)))
            repeated[name] = changed->second;
        }
      }
    }
    values_.merge(repeated);
  }

  MergedCheckpoint finish() const {
    MergedCheckpoint merged;
    for (const std::string& name : checkpoint_.names()) {
      auto changed = values_.find(name);
      if (changed != values_.end()) ++merged.changed;
      merged.tensors.push_back(
          {name, changed != values_.end() ? changed->second : checkpoint_.tensor(name)});
    }
    return merged;
  }

 private:
  void put(const std::string& name, const Tensor& old, const Tensor& value) {
    if (!old.defined() || !value.defined()) return;
    ensure(!name.empty() && value.count() == old.count(), "a merged tensor \"{}\" of shape {}",
           name, value.shape().text());
    Tensor stored = value.to(old.dtype());
    if (same_contents(stored, old)) return;
    stored = stored.reshaped(checkpoint_.tensor(name).shape());
    require(all_finite(stored), ErrorKind::kInput,
            "{}: merged, it has values that {} cannot hold; convert the base to F32 first", name,
            dtype_name(old.dtype()));
    values_[name] = std::move(stored);
  }

  std::vector<std::string> unclaimed() const {
    std::vector<std::string> names = checkpoint_.names();
    for (const Site* site : base_.sites) {
      SiteNames own = names_of(checkpoint_, base_, *site);
      std::erase_if(names, [&](const std::string& name) {
        return name == own.weight || name == own.bias || name == own.mean || name == own.variance;
      });
    }
    return names;
  }

  const Checkpoint& checkpoint_;
  const BaseFacts& base_;
  std::map<std::string, Tensor> values_;
};

DType sum_type(const Site& site) {
  const Tensor& held = site.weight.defined() ? site.weight : site.bias;
  return held.defined() && held.dtype() == DType::kF64 ? DType::kF64 : DType::kF32;
}

[[noreturn]] void refuse(const Adapter& adapter, const std::vector<const Site*>& sites) {
  std::string names;
  for (std::size_t i = 0; i < std::min(sites.size(), kSitesShown); ++i)
    names += (i > 0 ? ", " : "") + sites[i]->name;
  if (sites.size() > kSitesShown) names += fmt::format(" and {} more", sites.size() - kSitesShown);
  fail(
      ErrorKind::kUsage,
      "method {} cannot be merged: what it does at {} site(s) is no function of the base's tensors "
      "({}); keep the adapter beside its base",
      adapter.info().name, sites.size(), names);
}

}  // namespace

bool merged_site(const Site& site, SiteHook& hook, DType dtype, MergedTensors& merged) {
  bool has_weight = site.weight.defined() || site.quantised != nullptr;
  merged.weight = has_weight ? out_by_in(site).to(dtype) : Tensor();
  merged.bias = site.bias.defined() ? site.bias.to(dtype) : Tensor();
  merged.mean = site.mean.defined() ? site.mean.to(dtype) : Tensor();
  merged.variance = site.variance.defined() ? site.variance.to(dtype) : Tensor();
  Replacements replaced = hook.replacements();
  if (replaced.weight != nullptr) merged.weight = replaced.weight->value().to(dtype);
  if (replaced.bias != nullptr) merged.bias = replaced.bias->value().to(dtype);
  bool replaces = replaced.weight != nullptr || replaced.bias != nullptr;
  return holds_tensors(site) && (hook.merge(merged) || replaces);
}

MergedCheckpoint merge_into(const Checkpoint& checkpoint, const BaseFacts& base, Adapter* adapter) {
  Changes changes(checkpoint, base);
  std::vector<const Site*> refused;
  for (const Site* site : adapter != nullptr ? adapter->sites() : std::vector<const Site*>()) {
    SiteHook* hook = adapter->at(site->index);
    MergedTensors merged;
    if (hook == nullptr) continue;
    if (merged_site(*site, *hook, sum_type(*site), merged)) {
      changes.add(*site, merged);
    } else {
      refused.push_back(site);
    }
  }
  if (!refused.empty()) refuse(*adapter, refused);
  changes.follow_ties();
  return changes.finish();
}

}  // namespace inlay
