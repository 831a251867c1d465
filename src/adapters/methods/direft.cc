// DiReFT: Wu et al. 2024, arXiv:2404.03592, eq. (3): h' = h + R^T (W h + b), R unconstrained.
#include "adapters/adapterhub_reft.h"
#include "adapters/reft_method.h"

namespace inlay {

const MethodInfo& method_direft() {
  static const MethodInfo info{
      .name = "direft",
      .summary = "Adds a learned low-rank edit to the first and last tokens' states.",
      .citation = "arXiv:2404.03592",
      .example = "direft[r=2]",
      .format = AdapterFormat::kAdapterHub,
      .adapterhub = &direft_adapterhub_form(),
      .learning_rate = 1e-2,
      .epochs = 10,
      .make = []() { return make_reft({.orthogonality = false, .subtract_projection = false}); }};
  return info;
}

}  // namespace inlay
