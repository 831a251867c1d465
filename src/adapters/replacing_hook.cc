#include "adapters/replacing_hook.h"

namespace inlay {

std::unique_ptr<SiteHook> replace_tensors(const Site& site, ParameterMaker& make,
                                          WantedTensors wanted) {
  Replacements replaced;
  if (wanted.weight && site.weight.defined()) {
    replaced.weight = &make.make(site, "weight", site.weight.to(DType::kF32));
  }
  if (wanted.bias && site.bias.defined()) {
    // A bare parameter carries its whole name already.
    std::string part = site.kind == SiteKind::kParameter ? "" : "bias";
    replaced.bias = &make.make(site, part, site.bias.to(DType::kF32));
  }
  return std::make_unique<ReplacingHook>(replaced);
}

}  // namespace inlay
