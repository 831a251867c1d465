// LoReFT: Wu et al. 2024, arXiv:2404.03592, eq. (2): h' = h + R^T (W h + b - R h), R with
// orthonormal rows.
#include "adapters/adapterhub_reft.h"
#include "adapters/reft_method.h"

namespace inlay {

const MethodInfo& method_loreft() {
  static const MethodInfo info{
      .name = "loreft",
      .summary = "Edits the first and last tokens' states within a learned subspace.",
      .citation = "arXiv:2404.03592",
      .example = "loreft[r=2,suffix_positions=3]",
      .format = AdapterFormat::kAdapterHub,
      .adapterhub = &loreft_adapterhub_form(),
      .learning_rate = 1e-2,
      .epochs = 10,
      .make = []() { return make_reft({}); }};
  return info;
}

}  // namespace inlay
