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
  // A bare parameter carries its whole name already.
  auto part = [&](const char* tensor) {
    return site.kind == SiteKind::kParameter ? std::string() : wanted.prefix + tensor;
  };
  Replacements replaced;
  if (wanted.weight && (site.weight.defined() || site.quantised != nullptr))
    replaced.weight = &make.make(site, part("weight"), out_by_in(site).to(DType::kF32));
  if (wanted.bias && site.bias.defined())
    replaced.bias = &make.make(site, part("bias"), site.bias.to(DType::kF32));
  return std::make_unique<ReplacingHook>(replaced);
}

}  // namespace inlay
