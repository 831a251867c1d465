#include "adapters/arithmetic/weight_update.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "adapters/merged_checkpoint.h"
#include "adapters/targets.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

Eigen::MatrixXd as_matrix(const Tensor& tensor) {
  Tensor wide = tensor.to(DType::kF64);
  return const_matrix<double>(wide);
}

using PartValues = std::map<std::string, const Tensor*>;

PartValues parts_at(const Adapter& adapter, const Site& site) {
  PartValues parts;
  for (const Adapter::Entry& entry : adapter.entries()) {
    if (entry.site == &site) parts[entry.part] = &entry.parameter.value();
  }
  return parts;
}

// LoRA without magnitudes and without a start to take off.
bool is_plain_lora(const Adapter& adapter, const PartValues& parts) {
  static const std::set<std::string> known{"lora_A.weight", "lora_B.weight", "lora_B.bias"};
  if (adapter.info().name != "lora" || !parts.contains("lora_A.weight")) return false;
  return std::all_of(parts.begin(), parts.end(),
                     [](const auto& part) { return known.contains(part.first); });
}

// alpha / r, or alpha / sqrt(r), in float as the forward pass has it.
double lora_scale(const Adapter& adapter, const Site& site, int64_t rank) {
  Json config = adapter.config();
  auto alphas = config.at("alpha_pattern").get<std::map<std::string, double>>();
  double alpha = pattern_value(alphas, site.name, config.at("alpha").get<double>());
  auto size = static_cast<double>(rank);
  double divisor = config.at("use_rslora").get<bool>() ? std::sqrt(size) : size;
  return static_cast<double>(static_cast<float>(alpha / divisor));
}

WeightUpdate factors_of(const Adapter& adapter, const Site& site, const PartValues& parts) {
  WeightUpdate update;
  update.a = as_matrix(*parts.at("lora_A.weight"));
  update.b = as_matrix(*parts.at("lora_B.weight"));
  update.scale = lora_scale(adapter, site, update.a.rows());
  if (parts.contains("lora_B.bias"))
    update.bias = update.scale * as_matrix(*parts.at("lora_B.bias")).transpose();
  return update;
}

}  // namespace

Eigen::MatrixXd base_weight(const Site& site) { return as_matrix(out_by_in(site)); }

bool has_weight_update(Adapter& adapter, const Site& site) {
  SiteHook* hook = adapter.at(site.index);
  bool has_weight = site.weight.defined() || site.quantised != nullptr;
  if (hook == nullptr || !has_weight || site.kind != SiteKind::kLinear) return false;
  if (is_plain_lora(adapter, parts_at(adapter, site))) return true;
  Replacements replaced = hook->replacements();
  if (replaced.weight != nullptr || replaced.bias != nullptr) return replaced.weight != nullptr;
  MergedTensors merged{out_by_in(site).to(DType::kF64),
                       site.bias.defined() ? site.bias.to(DType::kF64) : Tensor()};
  return hook->merge(merged);
}

double relative_change(Adapter& adapter, const Site& site) {
  WeightUpdate update = weight_update(adapter, site);
  double before = base_weight(site).norm();
  if (!update.factored()) return before > 0 ? update.dense.norm() / before : 0;
  // |B A|^2 = tr((B^T B) (A A^T))
  Eigen::MatrixXd inner = update.b.transpose() * update.b, outer = update.a * update.a.transpose();
  double square = std::max(0.0, inner.cwiseProduct(outer).sum());
  return before > 0 ? std::fabs(update.scale) * std::sqrt(square) / before : 0;
}

WeightUpdate weight_update(Adapter& adapter, const Site& site) {
  PartValues parts = parts_at(adapter, site);
  if (is_plain_lora(adapter, parts)) return factors_of(adapter, site, parts);
  MergedTensors merged;
  bool known = site.kind == SiteKind::kLinear &&
               merged_site(site, *adapter.at(site.index), DType::kF64, merged);
  require(known, ErrorKind::kUsage, "method {} adds nothing to the weight of {} that can be told",
          adapter.info().name, site.name);
  WeightUpdate update;
  update.dense = as_matrix(merged.weight) - base_weight(site);
  if (merged.bias.defined()) {
    Eigen::VectorXd grown = (as_matrix(merged.bias) - as_matrix(site.bias)).transpose();
    if (!grown.isZero(0)) update.bias = std::move(grown);
  }
  return update;
}

}  // namespace inlay
