#include "adapters/replacing_hook.h"

namespace inlay {

bool ReplacingHook::merge(MergedTensors& merged) {
  auto replace = [](Tensor& tensor, const Parameter* parameter) {
    if (parameter != nullptr) tensor = parameter->value().to(tensor.dtype());
  };
  replace(merged.weight, replacements_.weight);
  replace(merged.bias, replacements_.bias);
  return true;
}

std::unique_ptr<SiteHook> replace_tensors(const Site& site, ParameterMaker& make,
                                          const WantedTensors& wanted) {
  Replacements replaced;
  if (wanted.weight && (site.weight.defined() || site.quantised != nullptr)) {
    replaced.weight = &make.make(site, wanted.prefix + "weight", out_by_in(site).to(DType::kF32));
  }
  if (wanted.bias && site.bias.defined()) {
    // A bare parameter carries its whole name already.
    std::string part = site.kind == SiteKind::kParameter ? "" : wanted.prefix + "bias";
    replaced.bias = &make.make(site, part, site.bias.to(DType::kF32));
  }
  return std::make_unique<ReplacingHook>(replaced);
}

}  // namespace inlay
