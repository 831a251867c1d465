// NoReFT: Wu et al. 2024, arXiv:2404.03592, appendix E: LoReFT without the constraint on R.
#include "adapters/adapterhub_reft.h"
#include "adapters/reft_method.h"

namespace inlay {

const MethodInfo& method_noreft() {
  static const MethodInfo info{.name = "noreft",
                               .summary = "LoReFT with a projection that need not be orthonormal.",
                               .citation = "arXiv:2404.03592",
                               .example = "noreft[r=2,tied_weights=true,suffix_positions=2]",
                               .format = AdapterFormat::kAdapterHub,
                               .adapterhub = &noreft_adapterhub_form(),
                               .learning_rate = 1e-2,
                               .epochs = 10,
                               .make = []() { return make_reft({.orthogonality = false}); }};
  return info;
}

}  // namespace inlay
